/**
 * Whether a connection begins as TLS does, told by its first ten bytes (RFC 8446 sections 5.1 and 4.1.2). OpenSSL would
 * find the same, at three times the cost of closing a connection: whatever is no ClientHello never comes that far.
 */

/** First byte of a record of the handshake; our own wire starts with 0xf5. */
export const TLS_HANDSHAKE = 0x16;

/** `tls`: OpenSSL may judge; `incomplete`: so far so good; else what is wrong with it. */
export type Opening = 'tls' | 'incomplete' | { readonly wrong: string };

/** SSL 3.0 to TLS 1.3, as far as records name it: their first byte is 3 for ever. */
const MAJOR_VERSION = 3;
const MAX_MINOR_VERSION = 4;

/** Of what is not encrypted yet. */
const MAX_RECORD_BYTES = 2 ** 14;

const RECORD_HEADER_BYTES = 5;
const CLIENT_HELLO = 1;

/** Of a ClientHello: version, random, and the lengths of three lists of which two may not be empty. */
const MIN_HELLO_BYTES = 41;
/** OpenSSL's own limit. */
const MAX_HELLO_BYTES = 131_396;

/** Its type, its length, and the first byte of its version. */
const HELLO_START_BYTES = 5;

/** @param bytes all that came so far, the first of which is `TLS_HANDSHAKE` */
export function readOpening(bytes: Uint8Array): Opening {
  const [, major, minor, high, low, type] = bytes;
  if (major !== undefined && major !== MAJOR_VERSION) return { wrong: 'wrong version number' };
  if (minor !== undefined && minor > MAX_MINOR_VERSION) return { wrong: 'wrong version number' };
  if (high === undefined || low === undefined) return 'incomplete';
  const recordBytes = (high << 8) | low;
  if (recordBytes === 0) return { wrong: 'empty record' };
  if (recordBytes > MAX_RECORD_BYTES) return { wrong: 'packet length too long' };
  if (type === undefined) return 'incomplete';
  if (type !== CLIENT_HELLO) return { wrong: `a message of type ${type} where ClientHello has 1` };
  // cut into smaller records than anybody does, but lawful: the next record's header is in between
  if (recordBytes < HELLO_START_BYTES) return 'tls';
  return readHelloStart(bytes.subarray(RECORD_HEADER_BYTES));
}

function readHelloStart([, high, middle, low, major]: Uint8Array): Opening {
  if (high === undefined || middle === undefined || low === undefined) return 'incomplete';
  const helloBytes = (high << 16) | (middle << 8) | low;
  if (helloBytes < MIN_HELLO_BYTES || helloBytes > MAX_HELLO_BYTES)
    return { wrong: `a ClientHello of ${helloBytes} bytes` };
  if (major === undefined) return 'incomplete';
  return major === MAJOR_VERSION ? 'tls' : { wrong: 'unsupported protocol' };
}
