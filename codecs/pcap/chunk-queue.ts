/** Bytes that arrive in pieces of any size, read as if they were contiguous. Copies only what spans two pieces. */
export class ChunkQueue {
  /** The piece that is being read. */
  buffer: Buffer = Buffer.alloc(0);
  /** Next unread byte of `buffer`. */
  offset = 0;
  /** Bytes that were pushed and not yet skipped. */
  available = 0;
  /** Bytes that were skipped since the start: the position in the file. */
  position = 0;

  /** Pieces after `buffer`, from `#head` on. */
  readonly #later: Buffer[] = [];
  #head = 0;

  /** Takes a piece; it is not copied, and must not change while views of it are in use. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const piece = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.available === 0) {
      this.buffer = piece;
      this.offset = 0;
    } else {
      this.#later.push(piece);
    }
    this.available += piece.length;
  }

  /** True if `length` bytes are there; then they are contiguous in `buffer` from `offset`. */
  ensure(length: number): boolean {
    if (this.buffer.length - this.offset >= length) return true;
    if (this.available < length) return false;
    const joined = Buffer.allocUnsafe(length);
    let filled = this.buffer.copy(joined, 0, this.offset);
    while (filled < length) {
      const piece = this.#later[this.#head] as Buffer;
      const used = piece.copy(joined, filled, 0, length - filled);
      filled += used;
      if (used === piece.length) this.#dropHead();
      else this.#later[this.#head] = piece.subarray(used);
    }
    this.buffer = joined;
    this.offset = 0;
    return true;
  }

  /** Passes over at most `length` bytes, fewer if fewer are there; returns how many. */
  skip(length: number): number {
    const skipped = Math.min(length, this.available);
    let rest = skipped;
    while (rest > this.buffer.length - this.offset) {
      rest -= this.buffer.length - this.offset;
      this.buffer = this.#later[this.#head] as Buffer;
      this.offset = 0;
      this.#dropHead();
    }
    this.offset += rest;
    this.available -= skipped;
    this.position += skipped;
    return skipped;
  }

  #dropHead(): void {
    this.#head++;
    if (this.#head === this.#later.length || this.#head === 4096) {
      this.#later.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
