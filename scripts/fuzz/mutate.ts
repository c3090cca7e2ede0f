import { below, type Rng } from '../../src/protocol/rng.ts';

/** Values that sit at the edges of lengths and counts. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff];

/** A copy with a few things wrong: flipped bits, edge values, cut off, doubled, or spliced with another input. */
export function mutate(rng: Rng, corpus: readonly Uint8Array[]): Buffer {
  const base = pick(rng, corpus);
  let bytes = Buffer.from(base);
  for (let changes = 1 + below(rng, 4); changes > 0 && bytes.length > 0; changes--) {
    bytes = change(rng, bytes, corpus);
  }
  return bytes;
}

function change(rng: Rng, bytes: Buffer, corpus: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const at = below(rng, bytes.length);
  const copy = Buffer.from(bytes);
  switch (below(rng, 6)) {
    case 0:
      copy[at] = (copy[at] as number) ^ (1 << below(rng, 8));
      return copy;
    case 1:
      copy[at] = EDGES[below(rng, EDGES.length)] as number;
      return copy;
    case 2:
      // a whole int of ones: lengths and counts
      copy.fill(rng.next() < 0.5 ? 0xff : 0x7f, at, Math.min(at + 4, copy.length));
      return copy;
    case 3:
      return copy.subarray(0, at);
    case 4: {
      const end = at + below(rng, Math.min(64, bytes.length - at) + 1);
      return Buffer.concat([copy.subarray(0, end), copy.subarray(at)]);
    }
    default: {
      const other = pick(rng, corpus);
      return Buffer.concat([copy.subarray(0, at), Buffer.from(other.subarray(below(rng, other.length + 1)))]);
    }
  }
}

function pick(rng: Rng, corpus: readonly Uint8Array[]): Uint8Array {
  return corpus[below(rng, corpus.length)] as Uint8Array;
}
