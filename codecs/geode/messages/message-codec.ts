import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteSink } from '../sink.ts';

/** The body of one class; its class id stands before it. */
export interface MessageCodec<M> {
  /** @param version serialization version of the stream: it decides what member ids have */
  read(reader: ByteReader, version: number): M;
  write(sink: ByteSink, message: M, version: number): void;
}
