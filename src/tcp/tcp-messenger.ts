import { CodecError } from '../../codecs/bytes/errors.ts';
import { encodeHello } from '../../codecs/tcp/v1/handshake.ts';
import { MAX_MESSAGE_BYTES } from '../../codecs/tcp/v1/limits.ts';
import { present } from '../protocol/check-options.ts';
import { checkMessage } from '../protocol/check-message.ts';
import {
  AcknowledgementWait,
  type AwaitedMessage,
  type Confirmation,
  checkTimeout,
  DEFAULT_CONFIRM_TIMEOUT_MS,
  WAIT,
} from '../protocol/confirmation.ts';
import type { PortPair } from '../protocol/environment.ts';
import { InvariantError, LocalProtocolError } from '../protocol/errors.ts';
import { createMemberId, type MemberId } from '../protocol/member-id.ts';
import type { MessengerOptions } from '../protocol/messenger-options.ts';
import type { OutgoingMessage, PeerStats, StackStats } from '../protocol/messenger.ts';
import { StackMessenger } from '../protocol/stack-messenger.ts';
import { memberTimeoutOf } from '../protocol/stalls.ts';
import type { View } from '../protocol/view.ts';
import { DEFAULT_DOOR_LIMITS, type DoorLimits } from './door.ts';
import { createHello } from './handshake.ts';
import { type TcpTimings, timingsFor } from './limits.ts';
import { TcpStack } from './tcp-stack.ts';
import { MAX_UNRELIABLE_BYTES } from './unreliable-queue.ts';

export interface TcpMessengerOptions extends MessengerOptions {
  /** Times that differ from those that derive from `memberTimeoutMs`. */
  readonly tcp?: Partial<TcpTimings>;
  /** Limits on connections that others open; those that differ from `DEFAULT_DOOR_LIMITS`. */
  readonly door?: Partial<DoorLimits>;
}

/**
 * The new stack behind the messenger's contract: one connection per recipient, opened by the sender on first use.
 *
 *     const messenger = new TcpMessenger({ environment, cluster: 'prod', host: '10.0.0.1', ports: [41000, 41100],
 *       member: { name: 'server-1', version: 200 } });
 *     messenger.setDefaultHandler(({ sender, payload }) => { ... });
 *     const self = await messenger.start();
 *     messenger.installView(createView(1, [self, other]));
 *     messenger.send({ recipients: 'all', payload });
 */
export class TcpMessenger extends StackMessenger {
  readonly #timings: TcpTimings;
  readonly #doorLimits: DoorLimits;
  #stack: TcpStack | null = null;
  readonly #waits = new Set<AcknowledgementWait>();

  /** @throws {LocalProtocolError} `ERR_OPTIONS` for limits that cannot be, or names that the wire cannot carry */
  constructor(options: TcpMessengerOptions) {
    super(options, 'tcp');
    checkIdentity(options);
    this.#timings = { ...timingsFor(memberTimeoutOf(options)), ...present(options.tcp ?? {}) };
    this.#doorLimits = doorLimitsOf(options);
  }

  protected open(pair: PortPair, self: MemberId): void {
    if (pair.tcp === null) throw new InvariantError('the TCP stack needs the TCP half of the port');
    this.#stack = new TcpStack({
      environment: this.environment,
      cluster: this.options.cluster,
      timings: this.#timings,
      doorLimits: this.#doorLimits,
      log: this.log,
      listener: pair.tcp,
      self,
      deliver: (sender, payload) => this.deliver(sender, payload),
      acknowledged: (uuid, messages, bytes) => this.acknowledged(uuid, messages, bytes),
      peerStalled: (member, reason, cause) => this.stalls.stalled(member, reason, cause),
      peerRecovered: (member) => this.stalls.recovered(member),
    });
  }

  protected transmit(member: MemberId, message: OutgoingMessage, reliable: boolean): void {
    const stack = this.#opened();
    if (reliable) stack.send(member, message);
    else stack.sendUnreliably(member, message);
  }

  /**
   * As `send`; resolves when every recipient has acknowledged the message, which it does once its handlers had it, or
   * after the time.
   * @param timeoutMs 0 or more. Default 10,000
   * @throws {LocalProtocolError} as `send`
   */
  sendAndConfirm(
    message: OutgoingMessage,
    timeoutMs: number = DEFAULT_CONFIRM_TIMEOUT_MS,
  ): Promise<Confirmation> {
    checkMessage(message);
    checkTimeout(timeoutMs);
    const wait = new AcknowledgementWait(this.#expectedOf(message));
    const awaited: AwaitedMessage = { ...message, [WAIT]: wait };
    this.#waits.add(wait);
    try {
      wait.handleSent(this.send(awaited));
    } catch (error) {
      this.#waits.delete(wait);
      throw error;
    }
    const timer = this.environment.createTimer(() => wait.end('timeout'));
    timer.set(this.environment.nowMs() + timeoutMs);
    return wait.result.finally(() => {
      timer.clear();
      this.#waits.delete(wait);
    });
  }

  /** Recipients that are others, and in the view. */
  #expectedOf({ recipients }: OutgoingMessage): readonly MemberId[] {
    const { view } = this;
    if (view === null) return [];
    const isOther = ({ uuid }: MemberId): boolean => uuid !== this.memberId.uuid && view.find(uuid) !== null;
    return (recipients === 'all' ? view.members : recipients).filter(isOther);
  }

  protected viewInstalled(view: View, departed: readonly string[]): void {
    this.#opened().installView(view, departed);
    for (const wait of this.#waits) wait.end('memberLeft', departed);
  }

  protected close(): Promise<void> {
    for (const wait of this.#waits) wait.end('closed');
    return this.#opened().close();
  }

  protected stackStats(): Omit<StackStats, 'state'> {
    return this.#stack?.stats() ?? { bytesSent: 0, bytesReceived: 0, counters: {} };
  }

  protected override peerStats(uuid: string): Pick<PeerStats, 'tcp' | 'tls'> {
    if (this.#stack === null) return {};
    const tcp = this.#stack.peerConnection(uuid);
    const hasTls = (this.environment.tls ?? null) !== null;
    return {
      ...(tcp === null ? {} : { tcp }),
      ...(hasTls ? { tls: this.#stack.peerTls(uuid) } : {}),
    };
  }

  /** @throws {LocalProtocolError} `ERR_TOO_LARGE` over 64 MiB; unreliable messages go in one frame, of 1 MiB */
  checkSize(length: number, reliable: boolean): void {
    const limit = reliable ? MAX_MESSAGE_BYTES : MAX_UNRELIABLE_BYTES;
    if (length <= limit) return;
    throw new LocalProtocolError('ERR_TOO_LARGE', `${length} bytes are over the limit of ${limit}`);
  }

  #opened(): TcpStack {
    if (this.#stack === null) throw new InvariantError('the TCP stack is used before it is open');
    return this.#stack;
  }
}

function doorLimitsOf({ door }: TcpMessengerOptions): DoorLimits {
  const limits = { ...DEFAULT_DOOR_LIMITS, ...present(door ?? {}) };
  for (const [name, limit] of Object.entries<number>({ ...limits })) {
    if (limit >= 2) continue; // half of it is what strangers have
    throw new LocalProtocolError('ERR_OPTIONS', `door.${name} ${limit} must be 2 at least`);
  }
  return limits;
}

/** What goes into every HELLO is encoded once, so that bad names show here and not at each connection. */
function checkIdentity({ cluster, host, member }: MessengerOptions): void {
  const self = createMemberId({ ...member, host, port: 0, uuid: member.uuid ?? '0'.repeat(32) });
  const session = '0'.repeat(16);
  try {
    encodeHello(createHello({ self, cluster, session, recipient: self, connId: 0, nextSeqno: 1 }));
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof RangeError)) throw error;
    throw new LocalProtocolError('ERR_OPTIONS', `the TCP wire cannot carry this identity: ${error.message}`);
  }
}
