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
import { checkExpected, judgeHello } from './handshake.ts';
import type { AcceptorKnowledge, Refusal } from './handshake.ts';
import { MAX_DEPARTED, MAX_CONNECTIONS, MAX_STRANGERS } from './limits.ts';
import { printable } from './printable.ts';
import { Receiver } from './receiver.ts';
import { judgeSecurity } from './security.ts';

/** The door: connections that others open, until their HELLO shows which sender they belong to. */
export class Acceptor implements ConnectionOwner, AcceptorKnowledge {
  readonly #context: TcpContext;
  readonly #receivers = new Map<string, Receiver>();
  /** Connections without a HELLO so far, and until when they may send one. In order of the deadlines. */
  readonly #greeting = new Map<Connection, number>();
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
    this.self = context.self;
    this.cluster = context.cluster;
  }

  /** Another member, or a stranger, has connected. */
  accept(stream: Stream): void {
    const { counters, environment, timings, turn } = this.#context;
    counters.connectionsAccepted++;
    const connection = new Connection(this.#context, stream, true, this);
    turn.enter();
    if (!this.#open) connection.end('REJECT', RejectCode.STOPPING, 'this member is stopping');
    else if (this.#context.connections.size > MAX_CONNECTIONS)
      this.#refuse(connection, { code: RejectCode.BUSY, reason: 'too many connections' }, 'stranger');
    else {
      const deadlineMs = environment.nowMs() + timings.handshakeTimeoutMs;
      this.#greeting.set(connection, deadlineMs);
      this.#context.wake(deadlineMs);
    }
    turn.leave();
  }

  /** @param left uuids of members that were in the view before and are in this one no more */
  installView(view: View, left: Iterable<string>): void {
    this.#view = view;
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
    for (const connection of this.#greeting.keys())
      connection.end('REJECT', RejectCode.STOPPING, 'this member is stopping');
    this.#greeting.clear();
    for (const receiver of this.#receivers.values()) receiver.close('STOPPED', 'this member is stopping');
    this.#receivers.clear();
  }

  /** Of the connection that this member opened to us; null: there is none. */
  linkOf(uuid: string): LinkSecurity | null {
    return this.#receivers.get(uuid)?.link ?? null;
  }

  isDeparted(uuid: string): boolean {
    return this.#departed.has(uuid);
  }

  received(uuid: string): { session: string; connId: number; lastSeqno: number } | null {
    return this.#receivers.get(uuid)?.window ?? null;
  }

  nextDeadline(): number {
    let earliest = Infinity;
    for (const deadlineMs of this.#greeting.values()) {
      earliest = deadlineMs;
      break;
    }
    for (const receiver of this.#receivers.values()) earliest = Math.min(earliest, receiver.nextDeadline());
    for (const uuid of this.#strangers) earliest = Math.min(earliest, this.#abandonedAtMs(uuid));
    return earliest;
  }

  handleTimeout(nowMs: number): void {
    for (const [connection, deadlineMs] of this.#greeting) {
      if (deadlineMs > nowMs) break;
      this.#greeting.delete(connection);
      this.#refuse(connection, { code: RejectCode.TIMEOUT, reason: 'no HELLO in time' }, 'stranger');
    }
    for (const receiver of this.#receivers.values()) receiver.handleTimeout(nowMs);
    this.#dropAbandoned(nowMs);
  }

  handleOpen(): void {
    // Accepted streams are open.
  }

  handleFrame(connection: Connection, frame: Frame): void {
    checkExpected('awaitingHello', frame, connection.peer);
    if (frame.type !== 'HELLO') return; // not that checkExpected would let it through
    this.#greeting.delete(connection);
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
    receiver.attach(connection, frame);
  }

  handleDrain(): void {
    // Nothing is written before the handshake.
  }

  handleClosed(connection: Connection): void {
    this.#greeting.delete(connection);
  }

  /** Who is not trusted learns nothing else. */
  #judge({ security }: Connection, hello: Hello): Refusal | null {
    const policy = this.#context.environment.tls ?? null;
    return judgeSecurity(hello.sender, security, policy) ?? judgeHello(hello, this) ?? this.#judgeRoom(hello);
  }

  #judgeRoom(hello: Hello): Refusal | null {
    const { uuid } = hello.sender;
    if (this.#receivers.has(uuid) || this.#strangers.size < MAX_STRANGERS) return null;
    if ((this.#view?.find(uuid) ?? null) !== null) return null;
    return { code: RejectCode.BUSY, reason: 'too many senders that no view names' };
  }

  #refuse(connection: Connection, refusal: Refusal, who: string): void {
    const { log, environment } = this.#context;
    const code = codeName(RejectCode, refusal.code);
    log.warn(`refused ${code} ${who}`, environment.nowMs(), () => {
      return `refused a connection of ${who} from ${connection.peer}, ${code}: ${refusal.reason}`;
    });
    connection.end('REJECT', refusal.code, refusal.reason);
  }

  #abandonedAtMs(uuid: string): number {
    return this.#receivers.get(uuid)?.abandonedAtMs ?? Infinity;
  }

  /** Strangers that a view never took in are forgotten some time after they hung up. */
  #dropAbandoned(nowMs: number): void {
    for (const uuid of this.#strangers) {
      if (this.#abandonedAtMs(uuid) > nowMs) continue;
      this.#receivers.delete(uuid);
      this.#strangers.delete(uuid);
    }
  }
}
