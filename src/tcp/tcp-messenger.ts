import type { PortPair } from '../protocol/environment.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import { FlushWaiters } from '../protocol/flush-waiters.ts';
import { HandlerTable } from '../protocol/handlers.ts';
import type { MemberId } from '../protocol/member-id.ts';
import { bindOptions, createOwnId } from '../protocol/messenger-options.ts';
import type { AdoptedPort, MessengerOptions } from '../protocol/messenger-options.ts';
import type {
  MessageHandler,
  MessageType,
  Messenger,
  MessengerStats,
  OutgoingMessage,
  SendResult,
} from '../protocol/messenger.ts';
import { OutcomeLedger } from '../protocol/outcomes.ts';
import type { View } from '../protocol/view.ts';
import type { TcpTimings } from './limits.ts';
import { TcpStack } from './tcp-stack.ts';

export interface TcpMessengerOptions extends MessengerOptions {
  readonly timings?: Partial<TcpTimings>;
}

/**
 * The new stack behind the contract of `Messenger`: one connection per recipient, opened by the sender on first use.
 *
 *     const messenger = new TcpMessenger({ environment, cluster: 'prod', host: '10.0.0.1', ports: [41000, 41100],
 *       member: { name: 'server-1', version: 150 } });
 *     messenger.setDefaultHandler(({ sender, payload }) => { ... });
 *     const self = await messenger.start();
 *     messenger.installView(createView(1, [self, other]));
 *     messenger.send({ recipients: 'all', payload });
 */
export class TcpMessenger implements Messenger {
  readonly #options: TcpMessengerOptions;
  readonly #ledger = new OutcomeLedger();
  readonly #flushes: FlushWaiters;
  readonly #handlers: HandlerTable;
  #writableHandler: (recipient: MemberId) => void = () => undefined;
  #starting: Promise<MemberId> | null = null;
  #stopping: Promise<void> | null = null;
  #stack: TcpStack | null = null;

  constructor(options: TcpMessengerOptions) {
    this.#options = options;
    this.#flushes = new FlushWaiters(options.environment, this.#ledger);
    this.#handlers = new HandlerTable(options.environment, options.typeOf);
  }

  /**
   * @param adopted a port that is bound already; its TCP half becomes ours before this returns, and `stop` closes it
   * @throws {LocalProtocolError} `ERR_CLOSED` after `stop`; `ERR_OPTIONS` for names that the wire cannot carry
   */
  start(adopted?: AdoptedPort): Promise<MemberId> {
    if (this.#stopping !== null)
      return Promise.reject(new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped'));
    this.#starting ??= this.#start(adopted);
    return this.#starting;
  }

  get memberId(): MemberId {
    return this.#started().self;
  }

  send(message: OutgoingMessage): SendResult {
    return this.#running().send(message);
  }

  sendUnreliably(message: OutgoingMessage): SendResult {
    return this.#running().sendUnreliably(message);
  }

  addHandler(type: MessageType, handler: MessageHandler): void {
    this.#handlers.add(type, handler);
  }

  setDefaultHandler(handler: MessageHandler): void {
    this.#handlers.setDefault(handler);
  }

  setWritableHandler(handler: (recipient: MemberId) => void): void {
    this.#writableHandler = handler;
  }

  /** After `stop` a view is of no use any more and is ignored. */
  installView(view: View): void {
    const stack = this.#started();
    if (view.find(stack.self.uuid) === null)
      throw new LocalProtocolError('ERR_VIEW', `view ${view.id} lacks the own id ${stack.self.uuid}`);
    if (this.#stopping === null) stack.installView(view);
  }

  flush(timeoutMs: number): Promise<boolean> {
    return this.#flushes.wait(timeoutMs);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  stats(): MessengerStats {
    const { unhandled, failed } = this.#handlers;
    const stack = this.#stack?.stats();
    return {
      viewId: this.#stack?.view?.id ?? -1,
      totals: this.#ledger.totals(),
      received: this.#ledger.received(),
      peers: stack?.peers ?? [],
      stacks:
        stack === undefined
          ? {}
          : {
              tcp: {
                ...stack.figures,
                counters: { ...stack.figures.counters, unhandled, handlerErrors: failed },
              },
            },
    };
  }

  async #start(adopted: AdoptedPort | undefined): Promise<MemberId> {
    if (adopted !== undefined) return this.#open(adopted.pair, adopted.memberId);
    const pair = await this.#options.environment.bind(bindOptions(this.#options, { udp: false, tcp: true }));
    if (this.#stopping !== null) {
      await pair.tcp?.close();
      throw new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped');
    }
    try {
      return this.#open(pair, createOwnId(this.#options, pair.port));
    } catch (error) {
      await pair.tcp?.close();
      throw error;
    }
  }

  #open(pair: PortPair, self: MemberId): MemberId {
    const listener = pair.tcp;
    if (listener === null) throw new LocalProtocolError('ERR_OPTIONS', 'the adopted port has no TCP half');
    this.#stack = new TcpStack({
      options: this.#options,
      listener,
      self,
      ledger: this.#ledger,
      dispatch: (sender, payload) => this.#handlers.dispatch(sender, payload, 'tcp'),
      announceWritable: (recipient) => this.#announceWritable(recipient),
    });
    return self;
  }

  /** Handlers are told no more, whatever was on its way, and what is pending has its outcome, before this yields. */
  async #stop(): Promise<void> {
    await this.#stack?.stop();
    if (this.#stack === null) await this.#starting?.catch(() => undefined); // start cleans up after itself
  }

  #announceWritable(recipient: MemberId): void {
    try {
      this.#writableHandler(recipient);
    } catch (error) {
      this.#options.environment.logger.error(`the writable handler failed: ${String(error)}`);
    }
  }

  #started(): TcpStack {
    if (this.#stack === null)
      throw new LocalProtocolError('ERR_NOT_STARTED', 'the messenger was not started');
    return this.#stack;
  }

  #running(): TcpStack {
    if (this.#stopping !== null) throw new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped');
    return this.#started();
  }
}
