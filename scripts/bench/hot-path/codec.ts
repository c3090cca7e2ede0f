import { type Datagram, Flag, type GeodeAddress, type Message } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { measure } from './timing.ts';

export function member(index: number): GeodeAddress {
  const uuid = index.toString(16).padStart(2, '0').repeat(16);
  return { kind: 'geode', host: `127.0.0.${index}`, scopeId: 0, port: 41_000 + index, uuid, viewId: 1 };
}

function message(size: number, bundled: boolean): Message {
  const data = { protocol: 'UNICAST3', type: 'DATA', seqno: 123_456, connId: 1, first: false } as const;
  return {
    dest: bundled ? null : member(2),
    src: bundled ? null : member(1),
    flags: Flag.DONT_BUNDLE,
    headers: bundled ? [data] : [data, { protocol: 'TP', cluster: 'AG' }],
    payload: Buffer.alloc(size, 7),
  };
}

function single(size: number): Datagram {
  return { kind: 'single', version: 0x198e, multicast: false, message: message(size, false) };
}

function bundle(count: number, size: number): Datagram {
  const messages = Array.from({ length: count }, () => message(size, true));
  const [dest, src] = [member(2), member(1)];
  return { kind: 'bundle', version: 0x198e, multicast: false, dest, src, cluster: 'AG', messages };
}

/** One datagram to bytes and back. */
export function measureCodec(ms: number): Record<string, string | number>[] {
  const cases: Record<string, Datagram> = {
    '100 B': single(100),
    '1 KiB': single(1024),
    '60 kB': single(60_000),
    '30 x 1 KiB': bundle(30, 1024),
  };
  return Object.entries(cases).map(([name, datagram]) => {
    const bytes = encodeDatagram(datagram);
    const encoding = measure(ms, () => void encodeDatagram(datagram));
    const decoding = measure(ms, () => void decodeDatagram(bytes));
    return {
      datagram: name,
      'encode ns': Math.round(encoding.nsPerCall),
      'encode bytes': Math.round(encoding.bytesPerCall),
      'decode ns': Math.round(decoding.nsPerCall),
      'decode bytes': Math.round(decoding.bytesPerCall),
    };
  });
}
