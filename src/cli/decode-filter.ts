import { InvalidArgumentError } from 'commander';

import { isIpLiteral } from '../../codecs/bytes/ip.ts';
import { ProtocolId as ProtocolId212 } from '../../codecs/jgroups/v2_12/ids.ts';
import { ProtocolId as ProtocolId36 } from '../../codecs/jgroups/v3_6/ids.ts';
import type { CaptureRecord } from '../compat/record.ts';

/** Where a message comes from or goes to; null: any. */
export interface AddressFilter {
  readonly host: string | null;
  readonly port: number | null;
}

export interface RecordFilter {
  /** Any of these. */
  readonly protocol?: readonly string[];
  readonly from?: AddressFilter;
  readonly to?: AddressFilter;
  readonly cluster?: string;
  /** Only what did not decode. */
  readonly errors?: boolean;
}

/** What is no header, but a kind of line. */
const RAW = ['ping', 'pong', 'locator', 'failure-detection'] as const;

const PROTOCOLS: readonly string[] = [
  ...new Set([...Object.keys(ProtocolId36), ...Object.keys(ProtocolId212), 'ROLLGATE', 'UNKNOWN']),
];

/** For commander: adds to those that were given before. */
export function protocolName(text: string, before: readonly string[] = []): readonly string[] {
  const name =
    PROTOCOLS.find((known) => known === text.toUpperCase()) ??
    RAW.find((known) => known === text.toLowerCase());
  if (name === undefined) {
    throw new InvalidArgumentError(`give one of ${[...PROTOCOLS, ...RAW].sort().join(', ')}`);
  }
  // the raw probes are not the discovery protocol, but who looks for one wants to see the other
  return name === 'PING' ? [...before, name, 'ping', 'pong'] : [...before, name];
}

/** For commander: `192.0.2.1`, `:41000`, `192.0.2.1:41000`, `2001:db8::1`, `[2001:db8::1]:41000`. */
export function addressFilter(text: string): AddressFilter {
  const [, bracketed, plain = '', portText] =
    /^(?:\[(.*)\]|([^:]*|.*:.*:[^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = isIpLiteral(text) ? text : (bracketed ?? plain);
  const port = isIpLiteral(text) || portText === undefined ? null : Number(portText);
  const isHost = host === '' ? port !== null && bracketed === undefined : isIpLiteral(host);
  if (!isHost || (port !== null && port > 0xffff)) {
    throw new InvalidArgumentError('give ip, :port or ip:port, such as 192.0.2.1:41000');
  }
  return { host: host === '' ? null : canonical(host), port };
}

/** As captures name it: IPv6 has many spellings. */
function canonical(host: string): string {
  return host.includes(':') ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}

export function passes(record: CaptureRecord, filter: RecordFilter): boolean {
  if (filter.errors === true && record.kind !== 'error') return false;
  if (filter.from !== undefined && !isAt(record.from, filter.from)) return false;
  if (filter.to !== undefined && !isAt(record.to, filter.to)) return false;
  if (filter.cluster !== undefined && clusterOf(record) !== filter.cluster) return false;
  return filter.protocol === undefined || hasProtocol(record, filter.protocol);
}

function isAt(text: string | null, { host, port }: AddressFilter): boolean {
  if (text === null) return false;
  const colon = text.lastIndexOf(':');
  if (port !== null && Number(text.slice(colon + 1)) !== port) return false;
  return host === null || text.slice(0, colon).replace(/^\[|\]$/g, '') === host;
}

function clusterOf(record: CaptureRecord): string | null {
  return record.kind === 'message' ? record.cluster : null;
}

function hasProtocol(record: CaptureRecord, names: readonly string[]): boolean {
  if (record.kind === 'raw') return names.includes(record.raw);
  if (record.kind === 'error') return false;
  return record.headers.some(({ protocol }) => names.includes(protocol));
}
