/** Finds the codec for a datagram's version. Each wire version is a folder of its own. */

import { CodecError } from '../bytes/errors.ts';
import { ByteReader } from '../bytes/reader.ts';
import type { Datagram } from './message.ts';
import * as v3_6 from './v3_6/datagram.ts';
import { formatVersion, majorMinor, VERSION_3_6_14 } from './version.ts';

interface DatagramCodec {
  decodeDatagram(bytes: Uint8Array): Datagram;
  encodeDatagram(datagram: Datagram): Buffer;
}

const codecs = new Map<number, DatagramCodec>([[majorMinor(VERSION_3_6_14), v3_6]]);

function codecFor(version: number): DatagramCodec {
  const codec = codecs.get(majorMinor(version));
  if (codec === undefined) {
    throw new CodecError('ERR_VERSION', 0, 'version', `JGroups ${formatVersion(version)} is not spoken here`);
  }
  return codec;
}

/**
 * Decodes one UDP payload, or one frame of JGroups' TCP transport. Payloads are views of `bytes`.
 * @throws {CodecError} `ERR_VERSION` for a version without a codec; else what is wrong, at which byte of which field
 */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  return codecFor(new ByteReader(bytes).u16('version')).decodeDatagram(bytes);
}

/** @throws {CodecError} `ERR_VERSION`, or `ERR_VALUE` for a value that the wire cannot carry */
export function encodeDatagram(datagram: Datagram): Buffer {
  return codecFor(datagram.version).encodeDatagram(datagram);
}
