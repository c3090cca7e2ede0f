import { CodecError } from '../../codecs/bytes/errors.ts';
import { encodeHello } from '../../codecs/tcp/v1/handshake.ts';
import { MAX_MESSAGE_BYTES } from '../../codecs/tcp/v1/limits.ts';
import type { PortPair } from '../protocol/environment.ts';
import { InvariantError, LocalProtocolError } from '../protocol/errors.ts';
import { createMemberId, type MemberId } from '../protocol/member-id.ts';
import type { MessengerOptions } from '../protocol/messenger-options.ts';
import type { OutgoingMessage, StackStats } from '../protocol/messenger.ts';
import { StackMessenger } from '../protocol/stack-messenger.ts';
import type { View } from '../protocol/view.ts';
import { createHello } from './handshake.ts';
import { DEFAULT_TIMINGS, type TcpTimings } from './limits.ts';
import { TcpStack } from './tcp-stack.ts';
import { MAX_UNRELIABLE_BYTES } from './unreliable-queue.ts';

export interface TcpMessengerOptions extends MessengerOptions {
  /** Times that differ from `DEFAULT_TIMINGS`. */
  readonly tcp?: Partial<TcpTimings>;
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
  #stack: TcpStack | null = null;

  /** @throws {LocalProtocolError} `ERR_OPTIONS` for limits that cannot be, or names that the wire cannot carry */
  constructor(options: TcpMessengerOptions) {
    super(options, 'tcp');
    checkIdentity(options);
    this.#timings = { ...DEFAULT_TIMINGS, ...options.tcp };
  }

  protected open(pair: PortPair, self: MemberId): void {
    if (pair.tcp === null) throw new InvariantError('the TCP stack needs the TCP half of the port');
    this.#stack = new TcpStack({
      environment: this.environment,
      cluster: this.options.cluster,
      timings: this.#timings,
      log: this.log,
      listener: pair.tcp,
      self,
      deliver: (sender, payload) => this.deliver(sender, payload),
      acknowledged: (uuid, messages, bytes) => this.acknowledged(uuid, messages, bytes),
    });
  }

  protected transmit(member: MemberId, message: OutgoingMessage, reliable: boolean): void {
    const stack = this.#opened();
    if (reliable) stack.send(member, message);
    else stack.sendUnreliably(member, message);
  }

  protected viewInstalled(view: View, departed: readonly string[]): void {
    this.#opened().installView(view, departed);
  }

  protected close(): Promise<void> {
    return this.#opened().close();
  }

  protected stackStats(): Omit<StackStats, 'state'> {
    return this.#stack?.stats() ?? { bytesSent: 0, bytesReceived: 0, counters: {} };
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
