/** Addresses and headers as records have them, from what the codecs make of the wire. */

import type { Address } from '../../codecs/jgroups/message.ts';
import { flagNames } from '../../codecs/jgroups/message.ts';
import type { AnyHeader } from '../../codecs/jgroups/registry.ts';
import { formatVersion } from '../../codecs/jgroups/version.ts';
import { GeodePayloads } from './geode-payloads.ts';
import type { RecordAddress, RecordHeader } from './record.ts';

/** Past it the memory starts afresh, which costs only time. A large cluster has some thousands. */
const MAX_REMEMBERED = 16_384;

/** AUTH's tokens are passwords and the like, and a capture is shown to others. */
const HIDDEN = '***';

/**
 * Makes the values of records. A capture names few members, flags and versions again and again: each is made once,
 * and equal ones are the same object.
 */
export class RecordValues {
  readonly geode = new GeodePayloads();
  readonly #members = new Map<string, RecordAddress>();
  readonly #flags = new Map<number, readonly string[]>();
  readonly #versions = new Map<number, string>();

  address(address: Address | null): RecordAddress | null {
    if (address === null) return null;
    const key = address.kind === 'ip' ? `${address.host}/${address.port}` : address.uuid;
    const known = this.#members.get(key);
    if (known !== undefined && isSame(known, address)) return known;
    const made = toRecordAddress(address);
    remember(this.#members, key, made);
    return made;
  }

  flags(bits: number): readonly string[] {
    const known = this.#flags.get(bits);
    if (known !== undefined) return known;
    const made = flagNames(bits);
    remember(this.#flags, bits, made);
    return made;
  }

  version(version: number): string {
    const known = this.#versions.get(version);
    if (known !== undefined) return known;
    const made = formatVersion(version);
    remember(this.#versions, version, made);
    return made;
  }

  headers(headers: readonly AnyHeader[]): readonly RecordHeader[] {
    for (const header of headers) if (!isPlain(header)) return headers.map(toRecordHeader);
    return headers as readonly RecordHeader[];
  }
}

function remember<K, V>(memory: Map<K, V>, key: K, value: V): void {
  if (memory.size >= MAX_REMEMBERED) memory.clear();
  memory.set(key, value);
}

function isSame(known: RecordAddress, address: Address): boolean {
  switch (address.kind) {
    case 'geode':
      return (
        known.viewId === address.viewId && known.port === address.port && (known.host ?? '') === address.host
      );
    case 'uuid':
      return known.viewId === null;
    case 'ip':
      return true;
  }
}

export function toRecordAddress(address: Address): RecordAddress {
  switch (address.kind) {
    case 'uuid':
      return { uuid: address.uuid, host: null, port: null, viewId: null };
    case 'ip':
      return { uuid: null, host: hostOf(address.host), port: address.port, viewId: null };
    case 'geode': {
      const { uuid, host, port, viewId } = address;
      return { uuid, host: hostOf(host), port, viewId };
    }
  }
}

function hostOf(host: string): string | null {
  return host === '' ? null : host;
}

/** Whether a header has neither addresses nor bytes, so that it can be shown as it is. */
function isPlain(header: AnyHeader): boolean {
  switch (header.protocol) {
    case 'TP':
    case 'UNICAST3':
    case 'UNICAST':
    case 'FRAG2':
    case 'UFC':
    case 'MFC':
    case 'FC':
    case 'FD_ALL':
    case 'FD_ALL2':
    case 'RSVP':
    case 'SEQUENCER':
    case 'COMPRESS':
      return true;
    case 'NAKACK2':
      return header.type !== 'XMIT_REQ';
    default:
      return false;
  }
}

function toRecordHeader(header: AnyHeader): RecordHeader {
  if (header.protocol === 'UNKNOWN') {
    const { protocol, protocolId, magic, rest } = header;
    return { protocol, protocolId, magic, opaque: rest.length };
  }
  if (header.protocol === 'AUTH' && header.token !== null) {
    return { protocol: 'AUTH', token: { className: header.token.className, value: HIDDEN } };
  }
  return isPlain(header) ? (header as unknown as RecordHeader) : (plainValue(header) as RecordHeader);
}

/** Any value of a codec with its addresses as records have them and its bytes in hex. */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value === null || typeof value !== 'object') return value;
  if ('kind' in value && (value.kind === 'uuid' || value.kind === 'ip' || value.kind === 'geode')) {
    return toRecordAddress(value as Address);
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plainValue(field)]));
}
