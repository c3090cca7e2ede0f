import { DATA_OVERHEAD_BYTES, writeDataHeader } from '../../codecs/tcp/v1/data.ts';
import { BATCH_BYTES, COPY_LIMIT_BYTES } from './limits.ts';

/** Room for a few control frames. */
const MIN_BATCH_BYTES = 256;

/**
 * Gathers small frames into one buffer and writes that once. Each batch is a new buffer, for a stream may hold on
 * to what it was given; it is sized after the one before.
 */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => void;
  #batch: Buffer | null = null;
  #used = 0;
  #expected = MIN_BATCH_BYTES;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  add(bytes: Uint8Array): void {
    const batch = this.#room(bytes.length);
    batch.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  addData(seqno: number, flags: number, payload: Uint8Array): void {
    const isCopied = payload.length < COPY_LIMIT_BYTES;
    const batch = this.#room(DATA_OVERHEAD_BYTES + (isCopied ? payload.length : 0));
    this.#used = writeDataHeader(batch, this.#used, seqno, flags, payload.length);
    if (isCopied) {
      batch.set(payload, this.#used);
      this.#used += payload.length;
    } else {
      this.flush();
      this.#write(payload);
    }
  }

  flush(): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#expected = Math.min(BATCH_BYTES, Math.max(MIN_BATCH_BYTES, 2 * this.#used));
    const bytes = batch.subarray(0, this.#used);
    this.#batch = null;
    this.#used = 0;
    this.#write(bytes);
  }

  #room(bytes: number): Buffer {
    if (this.#batch !== null && this.#used + bytes > this.#batch.length) this.flush();
    this.#batch ??= Buffer.allocUnsafe(Math.max(bytes, this.#expected));
    return this.#batch;
  }
}
