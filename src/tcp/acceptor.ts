import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import { codeName, RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import type { Hello } from '../../codecs/tcp/v1/handshake.ts';
import type { Stream } from '../protocol/environment.ts';
import { formatMember } from '../protocol/member-id.ts';
import type { LinkSecurity } from '../protocol/security.ts';
import type { View } from '../protocol/view.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import type { TcpContext } from './context.ts';
import { Door, MAX_LINGERING_REFUSALS } from './door.ts';
import { checkExpected, judgeHello } from './handshake.ts';
import type { AcceptorKnowledge, Refusal } from './handshake.ts';
import { MAX_DEPARTED, MAX_STRANGERS } from './limits.ts';
import { printable } from './printable.ts';
import { Receiver } from './receiver.ts';
import { judgeSecurity } from './security.ts';
import { countRefusal } from './tls-refusals.ts';

/** The door: connections that others open, until their HELLO shows which sender they belong to. */
export class Acceptor implements ConnectionOwner, AcceptorKnowledge {
  readonly #context: TcpContext;
  readonly #receivers = new Map<string, Receiver>();
  readonly #door: Door<Connection>;
  /** Refused, and not closed yet. */
  readonly #refused = new Set<object>();
  /** Members that a view of ours has dropped; the oldest are forgotten first. */
  readonly #departed = new Set<string>();
  /** Senders that no view has named yet. */
  readonly #strangers = new Set<string>();
  #view: View | null = null;
  #open = true;
  readonly self;
  readonly cluster;

  constructor(context: TcpContext) {
    this.#context = context;
    this.#door = new Door(context.doorLimits);
    this.self = context.self;
    this.cluster = context.cluster;
  }

  /** Whether a connection of that host is looked at at all. Whoever is not is not told why: words would cost us time. */
  admits(host: string): boolean {
    const { counters, environment, log } = this.#context;
    const nowMs = environment.nowMs();
    if (!this.#door.isBarred(host, nowMs)) return true;
    counters.floodResets++;
    log.warn(`flood ${host}`, nowMs, () => {
      return `connections of ${host} are reset unread: too many of that address failed (door.maxFailures)`;
    });
    return false;
  }

  /** Another member, or a stranger, has connected. */
  accept(stream: Stream): void {
    const { counters, environment, timings, turn } = this.#context;
    counters.connectionsAccepted++;
    const connection = new Connection(this.#context, stream, true, this);
    turn.enter();
    if (!this.#open) connection.end('REJECT', RejectCode.STOPPING, 'this member is stopping');
    else {
      const deadlineMs = environment.nowMs() + timings.handshakeTimeoutMs;
      const eviction = this.#door.admit(connection, connection.host, deadlineMs);
      if (eviction !== null) this.#refuse(eviction.connection, eviction, 'stranger');
      this.#context.wake(deadlineMs);
    }
    turn.leave();
  }

  /** @param left uuids of members that were in the view before and are in this one no more */
  installView(view: View, left: Iterable<string>): void {
    this.#view = view;
    this.#door.installView(view);
    for (const member of view.members) {
      this.#departed.delete(member.uuid);
      this.#strangers.delete(member.uuid);
      const receiver = this.#receivers.get(member.uuid);
      if (receiver !== undefined) receiver.sender = member;
    }
    for (const uuid of left) {
      this.#receivers.get(uuid)?.close('DEPARTED', `view ${view.id} has dropped you`);
      this.#receivers.delete(uuid);
      this.#departed.add(uuid);
    }
    for (const uuid of this.#departed) {
      if (this.#departed.size <= MAX_DEPARTED) break;
      this.#departed.delete(uuid);
    }
  }

  /** Accepts no more, and ends what is open. */
  close(): void {
    this.#open = false;
    for (const connection of [...this.#door.greeting()]) {
      this.#door.handleGreeted(connection);
      connection.end('REJECT', RejectCode.STOPPING, 'this member is stopping');
    }
    for (const receiver of this.#receivers.values()) receiver.close('STOPPED', 'this member is stopping');
    this.#receivers.clear();
  }

  /** Of the connection that this member opened to us; null: there is none. */
  linkOf(uuid: string): LinkSecurity | null {
    return this.#receivers.get(uuid)?.link ?? null;
  }

  isMember(uuid: string): boolean {
    return (this.#view?.find(uuid) ?? null) !== null;
  }

  isDeparted(uuid: string): boolean {
    return this.#departed.has(uuid);
  }

  received(uuid: string): { session: string; connId: number; lastSeqno: number } | null {
    return this.#receivers.get(uuid)?.window ?? null;
  }

  nextDeadline(): number {
    let earliest = this.#door.nextDeadline();
    for (const receiver of this.#receivers.values()) earliest = Math.min(earliest, receiver.nextDeadline());
    for (const uuid of this.#strangers) earliest = Math.min(earliest, this.#abandonedAtMs(uuid));
    return earliest;
  }

  handleTimeout(nowMs: number): void {
    for (let late = this.#door.nextLate(nowMs); late !== null; late = this.#door.nextLate(nowMs))
      this.#refuse(late, { code: RejectCode.TIMEOUT, reason: 'no HELLO in time' }, 'stranger');
    for (const receiver of this.#receivers.values()) receiver.handleTimeout(nowMs);
    this.#dropAbandoned(nowMs);
  }

  handleOpen(): void {
    // Accepted streams are open.
  }

  handleFrame(connection: Connection, frame: Frame): void {
    checkExpected('awaitingHello', frame, connection);
    if (frame.type !== 'HELLO') return; // not that checkExpected would let it through
    this.#door.handleGreeted(connection);
    const refusal = this.#judge(connection, frame);
    if (refusal !== null) {
      this.#refuse(connection, refusal, printable(formatMember(frame.sender)));
      return;
    }
    let receiver = this.#receivers.get(frame.sender.uuid);
    if (receiver === undefined) {
      const member = this.#view?.find(frame.sender.uuid) ?? null;
      if (member === null) this.#strangers.add(frame.sender.uuid);
      receiver = new Receiver(this.#context, member ?? frame.sender, frame);
      this.#receivers.set(frame.sender.uuid, receiver);
    }
    if (this.#isKnown(connection, frame)) this.#door.handleWelcomed(connection.host);
    receiver.attach(connection, frame);
  }

  handleDrain(): void {
    // Nothing is written before the handshake.
  }

  handleClosed(connection: Connection): void {
    this.#door.handleGreeted(connection);
    this.#door.handleFailed(connection.host, null, this.#context.environment.nowMs());
    this.#mayLinger(connection);
  }

  handleEarlyBytes(connection: Connection, bytes: number): void {
    const eviction = this.#door.handleBytes(connection, bytes);
    if (eviction !== null) this.#refuse(eviction.connection, eviction, 'stranger');
  }

  /** The stream of a connection, also of one that is not ours any more, or never was, is closed. */
  handleGone(connection: object): void {
    this.#door.handleClosed(connection);
    this.#refused.delete(connection);
  }

  /** Who is not trusted learns nothing else. */
  #judge({ security }: Connection, hello: Hello): Refusal | null {
    const policy = this.#context.environment.tls ?? null;
    return judgeSecurity(hello.sender, security, policy) ?? judgeHello(hello, this) ?? this.#judgeRoom(hello);
  }

  /** Anybody can say a HELLO: who is no member, and has shown no certificate, has proved nothing by it. */
  #isKnown({ security }: Connection, { sender }: Hello): boolean {
    return this.isMember(sender.uuid) || (security !== null && security.peerCertificate !== null);
  }

  #judgeRoom(hello: Hello): Refusal | null {
    const { uuid } = hello.sender;
    if (this.#receivers.has(uuid) || this.#strangers.size < MAX_STRANGERS) return null;
    if (this.isMember(uuid)) return null;
    return { code: RejectCode.BUSY, reason: 'too many senders that no view names' };
  }

  #refuse(connection: Connection, refusal: Refusal, who: string): void {
    const { log, environment } = this.#context;
    const code = codeName(RejectCode, refusal.code);
    log.warn(`refused ${code} ${who}`, environment.nowMs(), () => {
      const detail = refusal.detail === undefined ? '' : `; ${printable(refusal.detail)}`;
      return `refused a connection of ${who} from ${connection.peer}, ${code}: ${refusal.reason}${detail}`;
    });
    this.#door.handleGreeted(connection);
    this.#door.handleFailed(connection.host, refusal.code, environment.nowMs());
    countRefusal(refusal.code, environment.tls);
    connection.end('REJECT', refusal.code, refusal.reason);
    if (!this.#mayLinger(connection)) this.#context.counters.hastyRejections++;
  }

  /** Whoever is refused gets time to read why, unless too many do. */
  #mayLinger(connection: Connection): boolean {
    if (this.#refused.size < MAX_LINGERING_REFUSALS) {
      this.#refused.add(connection);
      return true;
    }
    connection.destroy();
    return false;
  }

  #abandonedAtMs(uuid: string): number {
    return this.#receivers.get(uuid)?.abandonedAtMs ?? Infinity;
  }

  /**
   * Strangers that a view never took in are forgotten some time after they hung up; at once if they had sent nothing,
   * which is then as good as no WELCOME.
   */
  #dropAbandoned(nowMs: number): void {
    for (const uuid of this.#strangers) {
      const receiver = this.#receivers.get(uuid);
      if (receiver !== undefined && receiver.abandonedAtMs > nowMs) continue;
      if (receiver?.hasSent === false) this.#door.handleFailed(receiver.host, null, nowMs);
      this.#receivers.delete(uuid);
      this.#strangers.delete(uuid);
    }
  }
}
