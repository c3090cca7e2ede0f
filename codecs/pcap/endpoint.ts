/** Who sent a packet to whom. Objects and their text are made once per address, for a capture names few. */
import { readIp } from '../bytes/ip.ts';
import { ByteReader } from '../bytes/reader.ts';
import { MAX_REMEMBERED_ENDPOINTS } from './limits.ts';

export interface Endpoint {
  /** An IP literal. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, an IPv6 host in brackets. */
  readonly text: string;
}

/** An address, with the endpoints that were seen on it. */
export interface Host {
  readonly text: string;
  readonly endpoints: Map<number, Endpoint>;
}

/** Remembers hosts and endpoints, up to a limit at which it forgets all. */
export class AddressBook {
  readonly #ipv4 = new Map<number, Host>();
  readonly #ipv6 = new Map<string, Host>();
  #entries = 0;

  ipv4(bytes: Buffer, offset: number): Host {
    const key = bytes.readUInt32BE(offset);
    const known = this.#ipv4.get(key);
    if (known !== undefined) return known;
    const host = this.#host(bytes, offset, 4);
    this.#ipv4.set(key, host);
    return host;
  }

  ipv6(bytes: Buffer, offset: number): Host {
    const key = bytes.toString('latin1', offset, offset + 16);
    const known = this.#ipv6.get(key);
    if (known !== undefined) return known;
    const host = this.#host(bytes, offset, 16);
    this.#ipv6.set(key, host);
    return host;
  }

  endpoint(host: Host, port: number): Endpoint {
    const known = host.endpoints.get(port);
    if (known !== undefined) return known;
    this.#count();
    const text = host.text.includes(':') ? `[${host.text}]:${port}` : `${host.text}:${port}`;
    const endpoint = { host: host.text, port, text };
    host.endpoints.set(port, endpoint);
    return endpoint;
  }

  #host(bytes: Buffer, offset: number, length: number): Host {
    this.#count();
    const text = readIp(new ByteReader(bytes, offset, offset + length), length, 'address');
    return { text, endpoints: new Map() };
  }

  #count(): void {
    if (++this.#entries <= MAX_REMEMBERED_ENDPOINTS) return;
    this.#entries = 0;
    this.#ipv4.clear();
    this.#ipv6.clear();
  }
}
