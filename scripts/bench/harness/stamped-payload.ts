/**
 * The messages of a benchmark, made beforehand, so that the stack is measured and not their making. Message k carries
 * stamp k mod ring at its beginning and its end: with the count that finds what is lost, doubled or out of order. The
 * layout is that of scripts/bench/java/StampedPayload.java.
 */

const STAMP_BYTES = 4;

/** How many different messages of a size there are: a few megabytes of them, and a prime, so that no batch fits in. */
export function ringOf(sizeBytes: number): number {
  if (sizeBytes <= 16_384) return 1009;
  return sizeBytes <= 262_144 ? 61 : 13;
}

export function stampedPayloads(sizeBytes: number, ring: number): Buffer[] {
  if (sizeBytes < 2 * STAMP_BYTES) throw new RangeError(`${sizeBytes} bytes have no room for two stamps`);
  return Array.from({ length: ring }, (_, stamp) => {
    const payload = Buffer.alloc(sizeBytes);
    payload.writeUInt32BE(stamp, 0);
    payload.writeUInt32BE(stamp, sizeBytes - STAMP_BYTES);
    return payload;
  });
}

/** -1: damaged. */
function stampOf(payload: Uint8Array): number {
  if (payload.length < 2 * STAMP_BYTES) return -1;
  const stamp = readUint32(payload, 0);
  return stamp === readUint32(payload, payload.length - STAMP_BYTES) ? stamp : -1;
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** Counts and checks the messages of one measurement. */
export class Expectation {
  readonly #count: number;
  readonly #sizeBytes: number;
  readonly #ring: number;
  readonly #onDone: () => void;
  readonly #onFault: (message: string) => void;
  #received = 0;
  #nextStamp = 0;
  #failed = false;

  constructor(
    { count, sizeBytes, ring }: { count: number; sizeBytes: number; ring: number },
    onDone: () => void,
    onFault: (message: string) => void,
  ) {
    this.#count = count;
    this.#sizeBytes = sizeBytes;
    this.#ring = ring;
    this.#onDone = onDone;
    this.#onFault = onFault;
  }

  get received(): number {
    return this.#received;
  }

  handle(payload: Uint8Array): void {
    const stamp = stampOf(payload);
    this.#received++;
    if (stamp !== this.#nextStamp || payload.length !== this.#sizeBytes || this.#received > this.#count) {
      this.#fail(stamp, payload.length);
    }
    if (++this.#nextStamp === this.#ring) this.#nextStamp = 0;
    if (this.#received === this.#count) this.#onDone();
  }

  #fail(stamp: number, length: number): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#onFault(
      `message ${this.#received} of ${this.#count} has stamp ${stamp} and ${length} bytes, due were ` +
        `${this.#nextStamp} and ${this.#sizeBytes}`,
    );
  }
}
