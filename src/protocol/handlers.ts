import type { Environment } from './environment.ts';
import { LocalProtocolError } from './errors.ts';
import { RateLimitedLog } from './logger.ts';
import { formatMember } from './member-id.ts';
import type { MemberId } from './member-id.ts';
import type { MessageHandler, MessageType, StackName } from './messenger.ts';

/**
 * Who gets a message. Handlers are the application's code: whatever they throw is logged and counted, and the
 * message counts as delivered, for a stack that stopped here would hold up everybody else's messages.
 */
export class HandlerTable {
  readonly #environment: Pick<Environment, 'nowMs' | 'logger'>;
  readonly #typeOf: ((payload: Uint8Array) => MessageType | null) | null;
  readonly #handlers = new Map<MessageType, MessageHandler>();
  readonly #log: RateLimitedLog;
  #default: MessageHandler | null = null;

  /** Messages that had neither a handler nor a default one. */
  unhandled = 0;
  /** Calls of handlers (or of `typeOf`) that threw or rejected. */
  failed = 0;

  constructor(
    environment: Pick<Environment, 'nowMs' | 'logger'>,
    typeOf?: (payload: Uint8Array) => MessageType | null,
  ) {
    this.#environment = environment;
    this.#typeOf = typeOf ?? null;
    this.#log = new RateLimitedLog(environment.logger);
  }

  /** @throws {LocalProtocolError} `ERR_HANDLER` if the type has a handler already */
  add(type: MessageType, handler: MessageHandler): void {
    if (this.#handlers.has(type))
      throw new LocalProtocolError('ERR_HANDLER', `type '${type}' has a handler already`);
    this.#handlers.set(type, handler);
  }

  setDefault(handler: MessageHandler): void {
    this.#default = handler;
  }

  /** Calls the handler of the payload's type, or the default one. Throws nothing. */
  dispatch(sender: MemberId, payload: Uint8Array, stack: StackName, inView: boolean): void {
    const type = this.#readType(sender, payload);
    const handler = (type === null ? undefined : this.#handlers.get(type)) ?? this.#default;
    if (handler === null) {
      this.unhandled++;
      this.#log.warn(`unhandled ${sender.uuid}`, this.#environment.nowMs(), () => {
        return `no handler for a message ${ofType(type)} from ${formatMember(sender)}`;
      });
      return;
    }
    try {
      // an unhandled rejection would end the process
      const result = handler({ sender, inView, payload, type, stack });
      if (result !== undefined && result instanceof Promise) {
        result.catch((error: unknown) => {
          this.#fail(sender, type, error);
        });
      }
    } catch (error) {
      this.#fail(sender, type, error);
    }
  }

  #readType(sender: MemberId, payload: Uint8Array): MessageType | null {
    if (this.#typeOf === null) return null;
    try {
      return this.#typeOf(payload);
    } catch (error) {
      this.#fail(sender, null, error);
      return null;
    }
  }

  #fail(sender: MemberId, type: MessageType | null, error: unknown): void {
    this.failed++;
    const kind = error instanceof Error ? error.name : '';
    this.#log.warn(`failed ${String(type)} ${kind}`, this.#environment.nowMs(), () => {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return `the handler of messages ${ofType(type)} failed on one from ${formatMember(sender)}: ${what}`;
    });
  }
}

function ofType(type: MessageType | null): string {
  return type === null ? 'without a type' : `of type ${type}`;
}
