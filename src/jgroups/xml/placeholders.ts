/**
 * Geode's stack files (jgroups-config.xml, jgroups-mcast.xml) are no XML before Geode has put values in place of words
 * in capitals. Which ones, and from which of its properties: Geode's JGroupsMessenger.init and MembershipConfig 1.15.
 */
import { problem } from './problem.ts';

export type PlaceholderName = (typeof NAMES)[number];

/** A name comes before those that it begins with. */
const NAMES = [
  'BIND_ADDR_SETTING',
  'FC_MAX_BLOCK',
  'FC_MAX_CREDITS',
  'FC_THRESHOLD',
  'MCAST_ADDRESS',
  'MCAST_PORT',
  'MCAST_RECV_BUFFER_SIZE',
  'MCAST_RETRANSMIT_INTERVAL',
  'MCAST_SEND_BUFFER_SIZE',
  'MCAST_TTL',
  'MEMBERSHIP_PORT_RANGE_START',
  'MEMBERSHIP_PORT_RANGE',
  'RETRANSMIT_LIMIT',
  'UDP_FRAGMENT_SIZE',
  'UDP_RECV_BUFFER_SIZE',
  'UDP_SEND_BUFFER_SIZE',
] as const;

/** Comments stay as they are. */
const PATTERN = new RegExp(`<!--[^]*?-->|\\b(?:${NAMES.join('|')})\\b`, 'g');

export type Placeholders = Readonly<Partial<Record<PlaceholderName, string | number>>>;

/** Keys of a gemfire.properties file, and their values. */
export type GemfireProperties = Readonly<Record<string, string>>;

const DEFAULT_RECEIVE_BUFFER = '1048576';
const REDUCED_RECEIVE_BUFFER = '65535';

/** What Geode puts in for these properties and its defaults for the others. */
export function geodePlaceholders(gemfire: GemfireProperties): Placeholders {
  const given = (key: string, otherwise: string): string => gemfire[key]?.trim() ?? otherwise;
  const [credits, threshold, block] = given('mcast-flow-control', '1048576, 0.25, 5000').split(/\s*,\s*/);
  const [first, last] = given('membership-port-range', '41000-61000').split(/\s*-\s*/);
  const port = given('mcast-port', '0');
  const received = given('udp-recv-buffer-size', DEFAULT_RECEIVE_BUFFER);
  const isReduced =
    port === '0' && given('disable-tcp', 'false') !== 'true' && received === DEFAULT_RECEIVE_BUFFER;
  const fragmentSize = given('udp-fragment-size', '60000');
  return {
    BIND_ADDR_SETTING: given('bind-address', ''),
    FC_MAX_BLOCK: block ?? '',
    FC_MAX_CREDITS: credits ?? '',
    FC_THRESHOLD: threshold ?? '',
    MCAST_ADDRESS: given('mcast-address', '239.192.81.1'),
    MCAST_PORT: port,
    MCAST_RECV_BUFFER_SIZE: given('mcast-recv-buffer-size', '1048576'),
    MCAST_RETRANSMIT_INTERVAL: given('mcast-retransmit-interval', '500'),
    MCAST_SEND_BUFFER_SIZE: given('mcast-send-buffer-size', '65535'),
    MCAST_TTL: given('mcast-ttl', '32'),
    MEMBERSHIP_PORT_RANGE: Number(last) - Number(first),
    MEMBERSHIP_PORT_RANGE_START: first ?? '',
    RETRANSMIT_LIMIT: Number(fragmentSize) - 256,
    UDP_FRAGMENT_SIZE: fragmentSize,
    UDP_RECV_BUFFER_SIZE: isReduced ? REDUCED_RECEIVE_BUFFER : received,
    UDP_SEND_BUFFER_SIZE: given('udp-send-buffer-size', '65535'),
  };
}

/**
 * The text with values in place of Geode's words. Lines stay where they are.
 * @throws {LocalProtocolError} `ERR_XML` naming those that have none
 */
export function fillPlaceholders(text: string, placeholders: Placeholders, file: string): string {
  const missing = new Map<string, number>();
  const filled = text.replace(PATTERN, (name, offset: number) => {
    if (name.startsWith('<!--')) return name;
    const value = placeholders[name as PlaceholderName];
    if (value === undefined) {
      if (!missing.has(name)) missing.set(name, lineAt(text, offset));
      return '';
    }
    return name === 'BIND_ADDR_SETTING' ? bindAddress(String(value)) : escape(String(value));
  });
  const [first] = missing.values();
  if (first === undefined) return filled;
  throw problem(
    { file, line: first },
    `Geode's placeholders have no value: ${[...missing.keys()].join(', ')}; give them by 'placeholders', or by ` +
      `'gemfire' the properties that Geode takes them from`,
  );
}

/** It stands for a whole attribute, or for none. */
function bindAddress(address: string): string {
  return address === '' ? '' : `bind_addr="${escape(address)}"`;
}

function escape(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
