import { ByteWriter } from '../bytes/writer.ts';

/** What Geode's writers need of a ByteWriter. */
export type ByteSink = Pick<ByteWriter, 'offset' | 'u8' | 'bool' | 'u16' | 'i16' | 'i32' | 'bytes' | 'hex'>;

/**
 * Counts what would be written. Geode's values nest too deep for a `size` beside each `write`: one that forgot
 * a field in one of the two would be found only by the value that has it.
 */
class ByteCounter implements ByteSink {
  offset = 0;

  u8(): void {
    this.offset += 1;
  }

  bool(): void {
    this.offset += 1;
  }

  u16(): void {
    this.offset += 2;
  }

  i16(): void {
    this.offset += 2;
  }

  i32(): void {
    this.offset += 4;
  }

  bytes(value: Uint8Array): void {
    this.offset += value.length;
  }

  hex(value: string): void {
    this.offset += value.length >> 1;
  }
}

/** Bytes that `write` writes for a value. */
export function sizeBy<T>(
  write: (sink: ByteSink, value: T, version: number) => void,
  value: T,
  version: number,
) {
  const counter = new ByteCounter();
  write(counter, value, version);
  return counter.offset;
}

/** Exactly the bytes that `write` writes for a value. */
export function encodeBy<T>(
  write: (sink: ByteSink, value: T, version: number) => void,
  value: T,
  version: number,
): Buffer {
  const writer = new ByteWriter(sizeBy(write, value, version));
  write(writer, value, version);
  return writer.finish();
}
