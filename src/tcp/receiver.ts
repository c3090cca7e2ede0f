import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import type { Data } from '../../codecs/tcp/v1/data.ts';
import { codeName, GoodbyeCode } from '../../codecs/tcp/v1/frame-types.ts';
import type { Hello } from '../../codecs/tcp/v1/handshake.ts';
import type { Goodbye } from '../../codecs/tcp/v1/liveness.ts';
import { formatMember } from '../protocol/member-id.ts';
import type { MemberId } from '../protocol/member-id.ts';
import { describeLink, type LinkSecurity } from '../protocol/security.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { TcpContext } from './context.ts';
import { checkExpected, createWelcome, isFault } from './handshake.ts';
import { printable } from './printable.ts';
import { AckSchedule, ReceiveWindow } from './receive-window.ts';
import type { Flushable } from './turn.ts';

/** Everything from one sender: what was received of it, and the connection that it opened to us, if any. */
export class Receiver implements ConnectionOwner, Flushable {
  readonly #context: TcpContext;
  readonly #acks: AckSchedule;
  #window: ReceiveWindow;
  #connection: Connection | null = null;
  #idleDeadlineMs = Infinity;
  /** When the last connection closed. */
  #lastSeenMs: number;
  /** Where it came from. */
  #host = '';
  sender: MemberId;
  queued = false;

  /** @param sender as our view names it, or else as its HELLO does */
  constructor(context: TcpContext, sender: MemberId, hello: Hello) {
    this.#context = context;
    this.sender = sender;
    this.#acks = new AckSchedule(context.timings.ackDelayMs);
    this.#window = this.#createWindow(hello);
    this.#lastSeenMs = context.environment.nowMs();
  }

  get window(): ReceiveWindow {
    return this.#window;
  }

  /** A connection that passed the handshake's checks takes the place of the one before. */
  attach(connection: Connection, hello: Hello): void {
    this.#connection?.end('GOODBYE', GoodbyeCode.REPLACED, 'another connection of your session took over');
    if (hello.session !== this.#window.session || hello.connId !== this.#window.connId)
      this.#window = this.#createWindow(hello);
    this.#connection = connection;
    this.#host = connection.host;
    connection.owner = this;
    connection.send(createWelcome(hello, this.#context.self, this.#window.lastSeqno));
    connection.establish();
    this.#acks.reset(); // WELCOME told
    this.#setIdleTimer(this.#context.environment.nowMs());
  }

  /** Tells what was received to the last, and ends the connection. */
  close(goodbye: keyof typeof GoodbyeCode, reason: string): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#sendAck(connection);
    connection.end('GOODBYE', GoodbyeCode[goodbye], reason);
    this.#forget();
  }

  /** Whether anything was received of it, so that something is to be remembered. */
  get hasSent(): boolean {
    return this.#window.hasReceived;
  }

  /** The address of its last connection, which its HELLO need not name. */
  get host(): string {
    return this.#host;
  }

  /** From then on it will not come back for what it once sent; Infinity while it is connected. */
  get abandonedAtMs(): number {
    if (this.#connection !== null) return Infinity;
    return this.#lastSeenMs + (this.hasSent ? this.#context.timings.strangerTimeoutMs : 0);
  }

  /** Null: it is not connected. */
  get link(): LinkSecurity | null {
    return this.#connection === null ? null : describeLink(this.#connection.security);
  }

  nextDeadline(): number {
    const ackMs = this.#connection?.writable === true ? this.#acks.deadlineMs : Infinity;
    return Math.min(this.#idleDeadlineMs, ackMs);
  }

  handleTimeout(nowMs: number): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (nowMs >= this.#acks.deadlineMs && this.#acks.handleTimeout(nowMs)) this.#context.turn.add(this);
    if (nowMs < this.#idleDeadlineMs) return;
    const { idleTimeoutMs } = this.#context.timings;
    // the sum that the timer was set to: a difference may be rounded to less, and the timer go off for ever
    if (nowMs >= connection.lastHeardMs + idleTimeoutMs) {
      this.#context.counters.stalls++;
      connection.end('GOODBYE', GoodbyeCode.SILENT, `nothing heard for ${idleTimeoutMs} ms`);
      this.#forget();
    } else {
      this.#setIdleTimer(connection.lastHeardMs);
    }
  }

  /** The turn ends: acknowledges if that is due. An ack that the stream has no room for waits: the next says more. */
  flush(): void {
    const connection = this.#connection;
    if (connection?.writable !== true) return;
    if (this.#acks.isDue) {
      this.#sendAck(connection);
      connection.flush();
    } else this.#context.wake(this.#acks.deadlineMs);
  }

  handleOpen(): void {
    // Accepted streams are open.
  }

  handleFrame(connection: Connection, frame: Frame): void {
    checkExpected('receiving', frame, connection);
    switch (frame.type) {
      case 'DATA':
        this.#handleData(frame, connection.lastHeardMs);
        return;
      case 'UNRELIABLE':
        this.#context.counters.unreliableReceived++;
        this.#context.deliver(this.sender, frame.payload);
        return;
      case 'PING':
        // A peer that asks and does not read gets no answers to pile up; what it is owed tells that we live.
        if (connection.writable) connection.send({ type: 'PONG', token: frame.token });
        return;
      case 'GOODBYE':
        this.#handleGoodbye(frame);
        connection.destroy();
        this.#forget();
        return;
      default: // none that checkExpected lets through
    }
  }

  handleDrain(): void {
    this.#context.turn.add(this);
  }

  handleClosed(connection: Connection): void {
    if (connection === this.#connection) this.#forget();
  }

  #handleGoodbye({ code, reason }: Goodbye): void {
    const { environment, log } = this.#context;
    if (code === GoodbyeCode.CERTIFICATE_NAME) environment.tls?.handleRefused('certificate');
    const words = (): string =>
      `${printable(formatMember(this.sender))} says goodbye, ${codeName(GoodbyeCode, code)}: ${printable(reason)}`;
    if (isFault(code)) log.warn(`goodbye ${this.sender.uuid}`, environment.nowMs(), words);
    else environment.logger.debug(words());
  }

  #handleData(frame: Data, nowMs: number): void {
    this.#acks.handleFrame(frame.payload.length, nowMs);
    this.#context.turn.add(this);
    if (this.#window.isDuplicate(frame)) {
      this.#context.counters.duplicates++;
      return;
    }
    const message = this.#window.handleData(frame);
    if (message !== null) this.#context.deliver(this.sender, message);
  }

  #sendAck(connection: Connection): void {
    const { lastSeqno } = this.#window;
    this.#acks.reset();
    if (lastSeqno === 0) return;
    this.#context.counters.acksSent++;
    connection.send({ type: 'ACK', seqno: lastSeqno });
  }

  #forget(): void {
    this.#connection = null;
    this.#acks.reset();
    this.#idleDeadlineMs = Infinity;
    this.#lastSeenMs = this.#context.environment.nowMs();
    this.#context.wake(this.abandonedAtMs);
  }

  #setIdleTimer(fromMs: number): void {
    this.#idleDeadlineMs = fromMs + this.#context.timings.idleTimeoutMs;
    this.#context.wake(this.#idleDeadlineMs);
  }

  #createWindow(hello: Hello): ReceiveWindow {
    const peer = `${hello.sender.host}:${hello.sender.port}`;
    return new ReceiveWindow(hello.session, hello.connId, hello.nextSeqno - 1, peer);
  }
}
