/** Headers of classes that are not known: an error for the stack, opaque bytes for whoever only looks. */
import test from 'ava';
import type { Datagram, Header, UnknownHeader } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram, rawProbe } from '../../../codecs/jgroups/registry.ts';
import { decodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { rejects, survivesDamage } from './checks.ts';
import { EMPTY_MESSAGE, single, VECTORS } from './vectors.ts';
import * as wire from './wire-builder.ts';

const opaque = (bytes: Uint8Array): Datagram => decodeDatagram(bytes, { unknownHeaders: 'opaque' });
const DATA: Header = { protocol: 'UNICAST3', type: 'DATA', seqno: 1, connId: 0, first: true };

const unknown = (rest: Buffer, more: Partial<UnknownHeader> = {}): UnknownHeader => ({
  protocol: 'UNKNOWN',
  protocolId: 0x40,
  magic: 0x1234,
  remainingHeaders: 0,
  hasPayload: false,
  rest,
  ...more,
});

test('the unknown header is the last one, and holds the other headers and the payload', (t) => {
  const rest = wire.hex('deadbeef 004b0038 0002 4147 00000002 abcd');
  const bytes = wire.join(wire.hex('198e 00 04 0000 0003 0040 006b 00 0101 0000 01 0040 1234'), rest);
  const header = unknown(rest, { remainingHeaders: 1, hasPayload: true });
  const message = { ...EMPTY_MESSAGE, headers: [DATA, header] };
  const value = single(message);
  rejects(t, decodeDatagram, bytes, 'ERR_UNKNOWN_HEADER');
  t.deepEqual(opaque(bytes), value);
  t.true(encodeDatagram(value).equals(bytes));
  t.is(decodePayload(message), null);
  survivesDamage(t, opaque, encodeDatagram, bytes);
});

test('an unknown header at the very end, and one with nothing behind it', (t) => {
  const bytes = wire.hex('198e 00 00 0000 0001 ffff 0000');
  const value = single({ headers: [unknown(Buffer.alloc(0), { protocolId: 0xffff, magic: 0 })] });
  t.deepEqual(opaque(bytes), value);
  t.true(encodeDatagram(value).equals(bytes));
});

test('a token that is not known makes its header unknown', (t) => {
  const bytes = wire.hex('198e 00 00 0000 0002 0021 0043 01 0066 0102 004b 0038 ffff');
  const rest = wire.hex('01 0066 0102 004b 0038 ffff');
  const header = unknown(rest, { protocolId: 0x21, magic: 0x43, remainingHeaders: 1 });
  t.deepEqual(opaque(bytes), single({ headers: [header] }));
  t.true(encodeDatagram(opaque(bytes)).equals(bytes));
});

test('in a bundle nothing behind it is parsed, but counted', (t) => {
  const rest = wire.hex('00 0000 0000 00 0000 0000');
  const bytes = wire.join(
    wire.hex('198e 01 01 01 ffff 00000004 00 0000 0001 0040006b 03 00 0000 0001 0040 1234'),
    rest,
  );
  const bundle: Datagram = {
    kind: 'bundle',
    version: 0x198e,
    multicast: false,
    dest: null,
    src: null,
    cluster: null,
    messages: [
      { ...EMPTY_MESSAGE, headers: [{ protocol: 'UNICAST3', type: 'XMIT_REQ' }] },
      { ...EMPTY_MESSAGE, headers: [unknown(rest)] },
    ],
    unparsed: 2,
  };
  rejects(t, decodeDatagram, bytes, 'ERR_UNKNOWN_HEADER');
  t.deepEqual(opaque(bytes), bundle);
  t.true(encodeDatagram(bundle).equals(bytes));
  t.is(wire.datagram(bundle).toString('hex'), bytes.toString('hex'));
  survivesDamage(t, opaque, encodeDatagram, bytes);
});

test('as the last message of a bundle it leaves nothing to count', (t) => {
  const bytes = wire.hex('198e 01 01 01 ffff 00000001 00 0000 0001 0040 1234 00');
  const datagram = opaque(bytes);
  t.false('unparsed' in datagram);
  t.true(encodeDatagram(datagram).equals(bytes));
});

test('nothing can be written behind an unknown header', (t) => {
  const header = unknown(Buffer.from([1]));
  const refuses = (value: Datagram): void => {
    t.throws(() => encodeDatagram(value), { code: 'ERR_VALUE' });
  };
  refuses(single({ headers: [header, DATA] }));
  refuses(single({ headers: [header, header] }));
  refuses(single({ headers: [header], payload: Buffer.alloc(1) }));
  const message = { ...EMPTY_MESSAGE, headers: [header] };
  const bundle = { kind: 'bundle', version: 0x198e, multicast: false, dest: null, src: null } as const;
  refuses({ ...bundle, cluster: null, messages: [message, EMPTY_MESSAGE] });
});

test('what is known is decoded alike, whatever is done with the unknown', (t) => {
  for (const { bytes } of VECTORS) t.deepEqual(opaque(bytes), decodeDatagram(bytes));
});

test('other errors stay errors', (t) => {
  rejects(t, opaque, wire.hex('198e 00 00 0000 0001 0040 006b 05'), 'ERR_VALUE');
  rejects(t, opaque, wire.hex('198e 00 00 0000 0001 0040'), 'ERR_TRUNCATED');
  rejects(t, opaque, wire.hex('198e 00 00 0000 0041'), 'ERR_LIMIT');
  rejects(t, opaque, wire.hex('1302 00 00 00 0000'), 'ERR_VERSION');
});

test('the raw probes of Geode are no datagrams', (t) => {
  t.is(rawProbe(Buffer.from('ping')), 'ping');
  t.is(rawProbe(Buffer.from('pong')), 'pong');
  for (const text of ['', 'pin', 'pings', 'PING', 'peng']) t.is(rawProbe(Buffer.from(text)), null);
});
