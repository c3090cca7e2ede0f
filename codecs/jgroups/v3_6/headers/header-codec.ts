import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';

/** The body of one header class; protocol id and magic stand before it. */
export interface HeaderCodec<H> {
  readonly protocolId: number;
  readonly magic: number;
  decode(reader: ByteReader): H;
  /** Bytes of the body. */
  size(header: H): number;
  encode(writer: ByteWriter, header: H): void;
}
