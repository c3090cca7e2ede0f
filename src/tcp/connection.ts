import { CodecError } from '../../codecs/bytes/errors.ts';
import { encodeFrame } from '../../codecs/tcp/v1/frame.ts';
import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import { FrameDecoder } from '../../codecs/tcp/v1/frame-decoder.ts';
import { GoodbyeCode, RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import { MAX_REASON_BYTES, PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import { RemoteProtocolError } from '../protocol/errors.ts';
import type { Stream } from '../protocol/environment.ts';
import type { StreamSecurity } from '../protocol/security.ts';
import type { TcpContext } from './context.ts';
import { FrameWriter } from './frame-writer.ts';
import { printable } from './printable.ts';
import type { Flushable } from './turn.ts';

/** What a connection tells of. Nothing more is told after `handleClosed`, nor after `end` or `destroy`. */
export interface ConnectionOwner {
  handleOpen(connection: Connection): void;
  /** @throws {RemoteProtocolError} if the frame breaks a rule: the connection is then ended, and closed for the owner */
  handleFrame(connection: Connection, frame: Frame): void;
  /** The stream takes bytes again. */
  handleDrain(connection: Connection): void;
  handleClosed(connection: Connection, reason: string): void;
  /** So many bytes came, and the handshake is not done. */
  handleEarlyBytes?(connection: Connection, bytes: number): void;
}

/** Frames over one stream: the only part of this room that touches streams. */
export class Connection implements Flushable {
  readonly #context: TcpContext;
  readonly #stream: Stream;
  readonly #accepted: boolean;
  readonly #decoder: FrameDecoder;
  readonly #writer: FrameWriter;
  owner: ConnectionOwner;
  queued = false;
  /** False: what is written now only waits in the stream's buffer. */
  writable = true;
  lastHeardMs: number;
  #established = false;
  /** Ended by us, or closed: the owner hears nothing any more. */
  #ended = false;
  #lingerDeadlineMs = Infinity;
  /** DATA is being added, and `flush` follows. */
  #isGathering = false;
  #isCorked = false;

  /** @param accepted true: the other side opened it, and begins with the preamble */
  constructor(context: TcpContext, stream: Stream, accepted: boolean, owner: ConnectionOwner) {
    this.#context = context;
    this.#stream = stream;
    this.#accepted = accepted;
    this.owner = owner;
    this.#decoder = new FrameDecoder(accepted);
    this.#writer = new FrameWriter((bytes) => this.#write(bytes));
    this.lastHeardMs = context.environment.nowMs();
    context.connections.add(this);
    stream.onOpen = () => this.#handleOpen();
    stream.onData = (bytes) => this.#handleData(bytes);
    stream.onDrain = () => this.#handleDrain();
    stream.onClose = (error) => this.#handleClose(error);
  }

  /** `host:port` of the other side. */
  get peer(): string {
    return `${this.#stream.remoteHost}:${this.#stream.remotePort}`;
  }

  get host(): string {
    return this.#stream.remoteHost;
  }

  /** Null: plaintext. Not known before something was heard. */
  get security(): StreamSecurity | null {
    return this.#stream.security ?? null;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The handshake is done: frames may be larger, and a mistake is answered by GOODBYE, no longer by REJECT. */
  establish(): void {
    this.#established = true;
    this.#decoder.allowLargeFrames();
    this.#context.counters.handshakes++;
    this.#context.environment.tls?.handleOpened(this.security);
  }

  sendPreamble(): void {
    this.#writer.add(Uint8Array.from(PREAMBLE));
  }

  /** Gathered until the turn ends. */
  send(frame: Frame): void {
    if (this.#ended) return;
    this.#context.counters.framesSent++;
    this.#writer.add(encodeFrame(frame));
    this.#context.turn.add(this);
  }

  /** Gathered until `flush`, or until there is enough for a write. */
  sendData(seqno: number, flags: number, payload: Uint8Array): void {
    this.#context.counters.framesSent++;
    this.#isGathering = true;
    this.#writer.addData(seqno, flags, payload);
    this.#isGathering = false;
  }

  /**
   * Writes what was gathered, unless the stream is full: it would only lie there, and what is gathered until `onDrain`
   * makes one large write, and large records with TLS.
   */
  flush(): void {
    if (this.writable) this.#writer.flush();
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#stream.uncork?.();
  }

  /** Writes out a last frame, then closes. */
  end(code: 'REJECT' | 'GOODBYE', number: number, reason: string): void {
    if (this.#ended) return;
    if (code === 'REJECT') this.#context.counters.rejections++;
    this.send({ type: code, code: number, reason: clip(reason) });
    this.#writer.flush();
    this.#stopListening();
    this.#lingerDeadlineMs = this.#context.environment.nowMs() + this.#context.timings.lingerMs;
    this.#context.wake(this.#lingerDeadlineMs);
    this.#stream.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#stopListening();
    this.#stream.destroy();
  }

  nextDeadline(): number {
    return this.#lingerDeadlineMs;
  }

  handleTimeout(nowMs: number): void {
    if (nowMs < this.#lingerDeadlineMs) return;
    this.#lingerDeadlineMs = Infinity;
    this.#stream.destroy();
  }

  #stopListening(): void {
    if (this.#established && !this.#ended) this.#context.environment.tls?.handleClosed(this.security);
    this.#ended = true;
    this.writable = false;
  }

  #write(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#context.bytes.sent += bytes.length;
    if (this.#isGathering && !this.#isCorked) {
      this.#isCorked = true; // there is more to come in this turn: one system call for all
      this.#stream.cork?.();
    }
    if (!this.#stream.write(bytes)) this.writable = false;
  }

  #handleOpen(): void {
    if (this.#ended) return;
    this.#context.turn.enter();
    this.owner.handleOpen(this);
    this.#context.turn.leave();
  }

  #handleData(bytes: Uint8Array): void {
    if (this.#ended) return;
    const { turn, counters, environment } = this.#context;
    this.#context.bytes.received += bytes.length;
    this.lastHeardMs = environment.nowMs();
    turn.enter();
    try {
      this.#decoder.push(bytes);
      // A frame's owner may end the connection: what came behind the frame is then not ours to read.
      while (!this.ended) {
        const frame = this.#decoder.next();
        if (frame === null) break;
        counters.framesReceived++;
        this.owner.handleFrame(this, frame);
      }
      if (!this.#established) this.owner.handleEarlyBytes?.(this, bytes.length);
    } catch (error) {
      if (!(error instanceof CodecError || error instanceof RemoteProtocolError)) throw error;
      this.#refuse(error);
    } finally {
      turn.leave();
    }
  }

  #refuse(error: CodecError | RemoteProtocolError): void {
    if (this.#ended) return;
    const { counters, log, environment } = this.#context;
    counters.malformed++;
    // by host: whoever floods us comes from a new port each time
    log.warn(`malformed ${this.#stream.remoteHost}`, environment.nowMs(), () => {
      return `${this.peer} broke the rules of the wire: ${printable(error.message)}`;
    });
    if (this.#established || !this.#accepted) this.end('GOODBYE', GoodbyeCode.MALFORMED, error.message);
    else this.end('REJECT', RejectCode.MALFORMED, error.message);
    this.owner.handleClosed(this, error.message);
  }

  #handleDrain(): void {
    if (this.#ended) return;
    this.writable = true;
    this.#context.turn.enter();
    this.owner.handleDrain(this);
    this.#context.turn.add(this); // behind its owner, who may have more for the same write
    this.#context.turn.leave();
  }

  #handleClose(error: Error | null): void {
    const { turn } = this.#context;
    this.#lingerDeadlineMs = Infinity;
    if (!this.#ended) {
      this.#stopListening();
      turn.enter();
      this.owner.handleClosed(this, error?.message ?? 'closed by the other side');
      turn.leave();
    }
    this.#context.handleClosed(this);
  }
}

/** A reason must fit its field; 4 bytes a character is UTF-8's most. */
function clip(reason: string): string {
  return reason.slice(0, MAX_REASON_BYTES / 4);
}
