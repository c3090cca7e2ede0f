/**
 * Builds JGroups 3.6 bytes straight from the wire reference, so that no test input comes from the encoder
 * under test. Slow and naive on purpose: every function is one line of the document.
 */
import type { Datagram, Message } from '../../../codecs/jgroups/message.ts';
import { header } from './header-builder.ts';
import { address, asciiString, i32, join, u16, u8 } from './primitive-builder.ts';

export * from './primitive-builder.ts';
export { header, headerBody } from './header-builder.ts';

// --- messages and datagrams (sections 3, 4) ----------------------------------------------------------------

export function message(value: Message): Buffer {
  const last = value.headers.at(-1);
  const unknown = last?.protocol === 'UNKNOWN' ? last : undefined;
  const hasPayload = value.payload !== null || unknown?.hasPayload === true;
  const leading = (value.dest === null ? 0 : 1) | (value.src === null ? 0 : 2) | (hasPayload ? 4 : 0);
  const parts = [u8(leading), u16(value.flags)];
  if (value.dest !== null) parts.push(address(value.dest));
  if (value.src !== null) parts.push(address(value.src));
  parts.push(u16(value.headers.length + (unknown?.remainingHeaders ?? 0)), ...value.headers.map(header));
  if (value.payload !== null) parts.push(i32(value.payload.length), Buffer.from(value.payload));
  return join(...parts);
}

export function datagram(value: Datagram): Buffer {
  const multicast = value.multicast ? 0x02 : 0;
  if (value.kind === 'single') {
    return join(u16(value.version), u8(multicast), message(value.message));
  }
  return join(
    u16(value.version),
    u8(multicast | 0x01),
    address(value.dest),
    address(value.src),
    asciiString(value.cluster),
    i32(value.messages.length + (value.unparsed ?? 0)),
    ...value.messages.map(message),
  );
}

/** The value with payloads as hex digits: a Buffer and a Uint8Array of the same bytes are the same value. */
export function comparable(value: Datagram): unknown {
  const plain = (one: Message): unknown => ({
    ...one,
    payload: one.payload === null ? null : Buffer.from(one.payload).toString('hex'),
  });
  return value.kind === 'single'
    ? { ...value, message: plain(value.message) }
    : { ...value, messages: value.messages.map(plain) };
}
