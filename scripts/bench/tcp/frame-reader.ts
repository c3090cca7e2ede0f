/** Cuts a stream into frames of a 32-bit length and a payload. */

export const LENGTH_BYTES = 4;

export class FrameReader {
  readonly #onFrame: (payload: Uint8Array) => void;
  /** The beginning of a frame whose end has not come. */
  #partial: Buffer | null = null;
  #filled = 0;
  /** Bytes of a length that came in pieces. */
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;

  constructor(onFrame: (payload: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#partial !== null) {
        at = this.#fill(this.#partial, bytes, at);
        continue;
      }
      if (this.#lengthFilled === 0 && bytes.length - at >= LENGTH_BYTES) {
        const length = bytes.readUInt32BE(at);
        at += LENGTH_BYTES;
        if (bytes.length - at >= length) {
          this.#onFrame(bytes.subarray(at, at + length));
          at += length;
        } else this.#begin(length);
        continue;
      }
      this.#length[this.#lengthFilled++] = bytes[at++] as number;
      if (this.#lengthFilled === LENGTH_BYTES) this.#begin(this.#length.readUInt32BE(0));
    }
  }

  #begin(length: number): void {
    this.#partial = Buffer.allocUnsafe(length);
    this.#filled = 0;
    this.#lengthFilled = 0;
  }

  #fill(partial: Buffer, bytes: Buffer, at: number): number {
    const taken = bytes.copy(partial, this.#filled, at);
    this.#filled += taken;
    if (this.#filled === partial.length) {
      this.#partial = null;
      this.#onFrame(partial);
    }
    return at + taken;
  }
}
