import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import { codeName, GoodbyeCode, RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import { DATA_OVERHEAD_BYTES } from '../../codecs/tcp/v1/data.ts';
import type { Welcome } from '../../codecs/tcp/v1/handshake.ts';
import type { StreamListener } from '../protocol/environment.ts';
import { formatMember } from '../protocol/member-id.ts';
import type { MemberId } from '../protocol/member-id.ts';
import type { TcpPeerStats } from '../protocol/messenger.ts';
import { randomHex } from '../protocol/messenger-options.ts';
import { PeerHealth } from '../protocol/peer-health.ts';
import { describeLink, type LinkSecurity } from '../protocol/security.ts';
import { TimerTable } from '../protocol/timer-table.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import type { TcpContext } from './context.ts';
import { checkExpected, checkWelcome, createHello, isFault } from './handshake.ts';
import { FRAGMENT_BYTES, TICKS_PER_PING_INTERVAL } from './limits.ts';
import { printable } from './printable.ts';
import { Reconnect } from './reconnect.ts';
import { judgeSecurity } from './security.ts';
import { type Acknowledged, type OnAcknowledged, SendWindow } from './send-window.ts';
import type { Flushable } from './turn.ts';
import { countRefusal } from './tls-refusals.ts';
import { UnreliableQueue } from './unreliable-queue.ts';

/**
 *     idle       nothing to send and no connection
 *     waiting    until the next attempt
 *     greeting   connection opened, WELCOME not yet there
 *     ready      connected
 *     closed     the recipient left the view, or we stop: for good
 */
type SenderState = 'idle' | 'waiting' | 'greeting' | 'ready' | 'closed';

const CONNECTION: Readonly<Record<SenderState, TcpPeerStats['connection']>> = {
  idle: 'none',
  waiting: 'waiting',
  greeting: 'connecting',
  ready: 'open',
  closed: 'none',
};

/** Everything towards one recipient: what it has been promised, and the connection that we open to it. */
export class Sender implements ConnectionOwner, Flushable {
  readonly #context: TcpContext;
  readonly #connect: StreamListener['connect'];
  readonly #connId: number;
  readonly #window: SendWindow;
  readonly #unreliable: UnreliableQueue;
  readonly #reconnect: Reconnect;
  readonly #health: PeerHealth;
  readonly #timers = new TimerTable<'retry' | 'handshake' | 'tick'>();
  #state: SenderState = 'idle';
  #connection: Connection | null = null;
  #fragmentBytes = FRAGMENT_BYTES;
  #lost: { readonly reason: string; readonly atMs: number } | null = null;
  /** When an ack last told of progress, or the first frame went out after all was acknowledged. */
  #progressMs = 0;
  /** Silence counts from here: we were held up ourselves until then, and have not asked since. */
  #backMs = -Infinity;
  recipient: MemberId;
  queued = false;

  constructor(context: TcpContext, connect: StreamListener['connect'], recipient: MemberId, connId: number) {
    this.#context = context;
    this.#connect = connect;
    this.recipient = recipient;
    this.#connId = connId;
    this.#window = new SendWindow(`${recipient.host}:${recipient.port}`, context.counters);
    this.#unreliable = new UnreliableQueue(context.counters);
    this.#reconnect = new Reconnect(context.timings);
    this.#health = new PeerHealth(context.timings.stallTimeoutMs);
  }

  send(
    payload: Uint8Array,
    unordered: boolean,
    highPriority: boolean,
    acknowledged: OnAcknowledged | null,
  ): void {
    this.#window.push(payload, unordered, highPriority, acknowledged);
    this.#context.turn.add(this);
  }

  sendUnreliably(payload: Uint8Array, maxAgeMs: number): void {
    this.#unreliable.push(payload, this.#context.environment.nowMs(), maxAgeMs);
    this.#context.turn.add(this);
  }

  /** The view dropped the recipient, or we stop. */
  close(goodbye: keyof typeof GoodbyeCode, reason: string): void {
    if (this.#state === 'ready') this.#connection?.end('GOODBYE', GoodbyeCode[goodbye], reason);
    else this.#connection?.destroy();
    this.#connection = null;
    this.#state = 'closed';
    this.#unreliable.clear();
    for (const timer of ['retry', 'handshake', 'tick'] as const) this.#timers.clear(timer);
  }

  stats(nowMs: number): TcpPeerStats {
    const lost = this.#lost;
    return {
      connection: CONNECTION[this.#state],
      failures: this.#reconnect.attempts,
      lastError: lost?.reason ?? null,
      lastErrorAgoMs: lost === null ? null : Math.max(0, Math.round(nowMs - lost.atMs)),
    };
  }

  /** Null: there is no connection. */
  get link(): LinkSecurity | null {
    return this.#state === 'ready' && this.#connection !== null
      ? describeLink(this.#connection.security)
      : null;
  }

  nextDeadline(): number {
    return this.#timers.next();
  }

  handleTimeout(nowMs: number): void {
    if (this.#timers.expire('retry', nowMs)) this.#open(nowMs);
    if (this.#timers.expire('handshake', nowMs)) {
      this.#abandon(`no WELCOME within ${this.#context.timings.handshakeTimeoutMs} ms`);
    }
    if (this.#timers.expire('tick', nowMs)) this.#tick(nowMs);
    this.#checkHealth(nowMs);
  }

  /** We were held up for longer than the peer may be silent without being asked: that it was says nothing of it. */
  handleAbsence(nowMs: number): void {
    this.#backMs = nowMs;
    this.#progressMs = nowMs;
    this.#health.handleAbsence(nowMs);
  }

  /** The turn ends: opens the connection if something waits, or writes what it takes. */
  flush(): void {
    if (!this.#health.isWaiting && !this.#window.isEmpty)
      this.#health.handleWait(this.#context.environment.nowMs());
    if (this.#state === 'idle') {
      if (!this.#window.isEmpty || !this.#unreliable.isEmpty) this.#open(this.#context.environment.nowMs());
      return;
    }
    const connection = this.#connection;
    if (this.#state !== 'ready' || connection === null) return;
    if (!this.#unreliable.isEmpty) this.#flushUnreliable(connection);
    while (connection.writable) {
      if (!this.#window.isWaiting) this.#progressMs = this.#context.environment.nowMs();
      const frame = this.#window.pollFrame(this.#fragmentBytes);
      if (frame === null) break;
      connection.sendData(frame.seqno, frame.flags, frame.payload);
    }
    connection.flush();
  }

  #flushUnreliable(connection: Connection): void {
    const nowMs = this.#context.environment.nowMs();
    while (connection.writable) {
      const payload = this.#unreliable.poll(nowMs);
      if (payload === null) return;
      connection.send({ type: 'UNRELIABLE', payload });
    }
  }

  handleOpen(connection: Connection): void {
    const { self, cluster, session } = this.#context;
    connection.sendPreamble();
    connection.send(
      createHello({
        self,
        cluster,
        session,
        recipient: this.recipient,
        connId: this.#connId,
        nextSeqno: this.#window.nextSeqno,
      }),
    );
  }

  handleFrame(connection: Connection, frame: Frame): void {
    checkExpected(this.#state === 'ready' ? 'sending' : 'awaitingWelcome', frame, connection);
    switch (frame.type) {
      case 'WELCOME':
        this.#handleWelcome(connection, frame);
        return;
      case 'ACK':
        this.#handleAck(frame.seqno);
        return;
      case 'PONG':
        this.#reconnect.handleSuccess();
        this.#handleHeard();
        return;
      case 'REJECT':
        this.#context.counters.rejected++;
        countRefusal(frame.code, this.#context.environment.tls);
        this.#abandon(`rejected, ${codeName(RejectCode, frame.code)}: ${frame.reason}`, true);
        return;
      case 'GOODBYE':
        this.#abandon(`goodbye, ${codeName(GoodbyeCode, frame.code)}: ${frame.reason}`, isFault(frame.code));
        return;
      default: // none that checkExpected lets through
    }
  }

  handleDrain(): void {
    this.#context.turn.add(this);
  }

  handleClosed(_connection: Connection, reason: string): void {
    this.#lose(reason, false);
  }

  /** @param isFault the peer says that something is wrong: said aloud also if nothing waits for it */
  #lose(reason: string, isFault: boolean): void {
    this.#connection = null;
    this.#timers.clear('handshake');
    this.#timers.clear('tick');
    this.#context.counters.connectionsLost++;
    const { environment } = this.#context;
    const nowMs = environment.nowMs();
    const delayMs = this.#reconnect.nextDelayMs(environment.rng);
    this.#lost = { reason: printable(reason), atMs: nowMs };
    // Also without messages: one that is sent meanwhile must not go round the backoff.
    this.#state = 'waiting';
    this.#setTimer('retry', nowMs + delayMs);
    this.#complain(reason, isFault, delayMs, nowMs);
    this.#health.handleLoss(reason);
    this.#checkHealth(nowMs);
  }

  #open(nowMs: number): void {
    this.#unreliable.dropOld(nowMs);
    // also to a peer that fell silent: who was told so is to be told when it speaks again
    if (this.#window.isEmpty && this.#unreliable.isEmpty && !this.#health.isStalled) {
      this.#state = 'idle';
      return;
    }
    this.#state = 'greeting';
    this.#context.counters.connectionsOpened++;
    const { host, port, uuid } = this.recipient;
    const stream = this.#connect(host, port, uuid);
    this.#connection = new Connection(this.#context, stream, false, this);
    this.#setTimer('handshake', nowMs + this.#context.timings.handshakeTimeoutMs);
  }

  #handleWelcome(connection: Connection, welcome: Welcome): void {
    checkWelcome(welcome, this.recipient, connection.peer);
    if (this.#isImpostor(connection, welcome)) return;
    const before = this.#window.nextSeqno;
    const delivered = this.#window.handleResume(welcome.lastSeqno);
    const nowMs = this.#context.environment.nowMs();
    connection.establish();
    this.#state = 'ready';
    this.#fragmentBytes = Math.min(FRAGMENT_BYTES, welcome.maxFrameBytes - (DATA_OVERHEAD_BYTES - 4));
    this.#unreliable.maxBytes = welcome.maxFrameBytes;
    this.#progressMs = nowMs;
    this.#timers.clear('handshake');
    this.#setTick(nowMs);
    this.#context.turn.add(this);
    if (this.#window.nextSeqno > before) this.#settle(delivered);
    else this.#handleHeard();
  }

  /** An ack that says nothing new is no progress: a peer could repeat it for ever. */
  #handleAck(seqno: number): void {
    const before = this.#window.nextSeqno;
    const acknowledged = this.#window.handleAck(seqno);
    if (this.#window.nextSeqno > before) this.#settle(acknowledged);
  }

  /** What the acceptor's certificate says it is. Nothing was sent to it yet but HELLO. */
  #isImpostor(connection: Connection, { acceptor }: Welcome): boolean {
    const refusal = judgeSecurity(acceptor, connection.security, this.#context.environment.tls ?? null);
    if (refusal === null) return false;
    countRefusal(refusal.code, this.#context.environment.tls);
    connection.end('GOODBYE', GoodbyeCode.CERTIFICATE_NAME, refusal.reason);
    this.handleClosed(connection, refusal.reason);
    return true;
  }

  #settle({ messages, bytes }: Acknowledged): void {
    const nowMs = this.#context.environment.nowMs();
    this.#progressMs = nowMs;
    const recovers = this.#health.handleProgress(nowMs, !this.#window.isEmpty);
    if (messages > 0) {
      this.#reconnect.handleSuccess();
      this.#context.acknowledged(this.recipient.uuid, messages, bytes);
    }
    if (recovers) this.#context.peerRecovered(this.recipient);
  }

  #handleHeard(): void {
    if (this.#health.handleHeard()) this.#context.peerRecovered(this.recipient);
  }

  /** Comes last wherever it is called: what is told may lead to a view without the recipient. */
  #checkHealth(nowMs: number): void {
    const waitedMs = this.#health.check(nowMs);
    if (waitedMs === null) return;
    this.#context.peerStalled(this.recipient, `nothing acknowledged for ${waitedMs} ms`, this.#health.cause);
  }

  /** Half-open connections and peers that accept bytes but make nothing of them show here. */
  #tick(nowMs: number): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#unreliable.dropOld(nowMs);
    const { stallTimeoutMs } = this.#context.timings;
    const silentMs = nowMs - Math.max(connection.lastHeardMs, this.#backMs);
    if (silentMs >= stallTimeoutMs) {
      this.#context.counters.stalls++;
      const reason = `nothing heard for ${Math.floor(silentMs)} ms`;
      const begins = this.#window.isEmpty && this.#health.handleSilence();
      this.#abandon(reason);
      if (begins) this.#context.peerStalled(this.recipient, reason, '');
      return;
    }
    if (this.#window.isWaiting && nowMs - this.#progressMs >= stallTimeoutMs) {
      this.#context.counters.stalls++;
      connection.end('GOODBYE', GoodbyeCode.STALLED, 'acknowledge what you receive');
      this.handleClosed(connection, `nothing acknowledged for ${Math.floor(nowMs - this.#progressMs)} ms`);
      return;
    }
    if (connection.writable)
      connection.send({ type: 'PING', token: randomHex(this.#context.environment.rng, 8) });
    this.#setTick(nowMs);
  }

  #setTick(nowMs: number): void {
    const { pingIntervalMs } = this.#context.timings;
    const gridMs = pingIntervalMs / TICKS_PER_PING_INTERVAL;
    this.#setTimer('tick', Math.ceil((nowMs + pingIntervalMs) / gridMs) * gridMs);
  }

  #complain(reason: string, isFault: boolean, delayMs: number, nowMs: number): void {
    const { environment, log } = this.#context;
    const text = `no connection to ${formatMember(this.recipient)}: ${printable(reason)}`;
    if (this.#window.isEmpty && !isFault) {
      environment.logger.debug(text);
      return;
    }
    const waits = !this.#window.isEmpty;
    // a cause that changes is told at once; figures and a peer's own words are no new cause
    const cause = /^[^\d:]*/.exec(reason)?.[0] ?? '';
    log.warn(`lost ${this.recipient.uuid} ${cause}`, nowMs, () => {
      return waits ? `${text}; messages wait, next attempt in ${Math.ceil(delayMs)} ms` : text;
    });
  }

  #abandon(reason: string, isFault = false): void {
    const connection = this.#connection;
    if (connection === null) return;
    connection.destroy();
    this.#lose(reason, isFault);
  }

  #setTimer(name: 'retry' | 'handshake' | 'tick', deadlineMs: number): void {
    this.#timers.set(name, deadlineMs);
    this.#context.wake(deadlineMs);
  }
}
