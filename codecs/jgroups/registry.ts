import type { Datagram } from './message.ts';

/** placeholder so that tests can be written against the signature; replaced within the hour */
export function decodeDatagram(_bytes: Uint8Array): Datagram {
  throw new Error('under construction');
}
export function encodeDatagram(_datagram: Datagram): Buffer {
  throw new Error('under construction');
}
