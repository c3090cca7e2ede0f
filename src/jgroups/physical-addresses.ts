import { type Address, addressKey } from '../../codecs/jgroups/message.ts';

/** JGroups' logical_addr_cache_max_size. */
const MAX_STRANGERS = 2_000;

/** Where datagrams for somebody go. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

interface Learned extends Endpoint {
  /** It said so itself; not a message that may have been sent again by another in its name. */
  readonly isOwnWord: boolean;
}

/**
 * Where members are reached. Geode's addresses mostly say it themselves (WIRE-3.6 section 2); a plain uuid does not,
 * so its host and port are learned from the datagrams that it sends, as JGroups keeps a cache of physical addresses.
 * Bounded, for anybody can make up a uuid: of others than members the oldest make room.
 */
export class PhysicalAddresses {
  readonly #members = new Map<string, Learned>();
  /** Oldest first. */
  readonly #strangers = new Map<string, Learned>();
  #view: ReadonlySet<string> = new Set();

  installView(view: ReadonlySet<string>): void {
    this.#view = view;
    for (const [key, endpoint] of this.#members) {
      if (view.has(key)) continue;
      this.#members.delete(key);
      this.#addStranger(key, endpoint);
    }
    for (const [key, endpoint] of this.#strangers) {
      if (!view.has(key)) continue;
      this.#strangers.delete(key);
      this.#members.set(key, endpoint);
    }
  }

  /** Null: not known. */
  find(address: Address): Endpoint | null {
    return tellsEndpoint(address) ? address : (this.#learnedOf(addressKey(address)) ?? null);
  }

  /**
   * A datagram with a message of this sender came from there.
   * @param isOwnWord false: another may have sent it again in its name; that is believed until it is heard itself
   */
  learn(src: Address, host: string, port: number, isOwnWord: boolean): void {
    if (tellsEndpoint(src) || port === 0) return;
    const key = addressKey(src);
    const known = this.#learnedOf(key);
    if (known !== undefined) {
      if (!isOwnWord || (known.isOwnWord && known.host === host && known.port === port)) return;
    }
    const endpoint = { host, port, isOwnWord };
    if (this.#view.has(key)) this.#members.set(key, endpoint);
    else this.#addStranger(key, endpoint);
  }

  #learnedOf(key: string): Learned | undefined {
    return this.#members.get(key) ?? this.#strangers.get(key);
  }

  #addStranger(key: string, endpoint: Learned): void {
    this.#strangers.set(key, endpoint);
    if (this.#strangers.size <= MAX_STRANGERS) return;
    for (const oldest of this.#strangers.keys()) {
      this.#strangers.delete(oldest);
      return;
    }
  }
}

function tellsEndpoint(address: Address): address is Exclude<Address, { kind: 'uuid' }> {
  return address.kind !== 'uuid' && address.host !== '' && address.port !== 0;
}
