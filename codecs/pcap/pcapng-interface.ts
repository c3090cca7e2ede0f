/** An interface description block: link type, snap length, and what a timestamp counts. */
import { CodecError } from '../bytes/errors.ts';
import type { BlockReader } from './pcapng-reader.ts';

const Option = { END: 0, TIME_RESOLUTION: 9, TIME_OFFSET: 14 } as const;

/** A finer clock than this has no units left in 64 bits for the years since the epoch. */
const MAX_DECIMAL_EXPONENT = 18;
const MAX_BINARY_EXPONENT = 60;

/** Turns the 64-bit timestamps of an interface into seconds and nanoseconds. */
export class CaptureClock {
  /** Result of the last `read`. */
  sec = 0;
  nsec = 0;
  readonly #units: number;
  readonly #unitsExact: bigint;
  readonly #offsetSeconds: number;

  /** @param unitsPerSecond `if_tsresol`; @param offsetSeconds `if_tsoffset` */
  constructor(unitsPerSecond = 1_000_000n, offsetSeconds = 0) {
    this.#unitsExact = unitsPerSecond;
    this.#units = Number(unitsPerSecond);
    this.#offsetSeconds = offsetSeconds;
  }

  read(high: number, low: number): void {
    if (high < 0x20_0000 && this.#units === 1_000_000) {
      const value = high * 0x1_0000_0000 + low;
      const sec = Math.floor(value / 1_000_000);
      this.sec = sec + this.#offsetSeconds;
      this.nsec = (value - sec * 1_000_000) * 1000;
      return;
    }
    const value = (BigInt(high) << 32n) | BigInt(low);
    this.sec = Number(value / this.#unitsExact) + this.#offsetSeconds;
    this.nsec = Number(((value % this.#unitsExact) * 1_000_000_000n) / this.#unitsExact);
  }
}

export interface CaptureInterface {
  readonly linkType: number;
  /** Bytes that are kept of a packet; 0: all. */
  readonly snapLength: number;
  readonly clock: CaptureClock;
}

/** The description, and what was wrong with its options: then they have their defaults. */
export function readInterface(block: BlockReader): {
  description: CaptureInterface;
  error: CodecError | null;
} {
  const linkType = block.remaining >= 8 ? block.u16('link type') : -1;
  if (linkType >= 0) block.u16('reserved');
  const snapLength = linkType >= 0 ? block.u32('snap length') : 0;
  try {
    if (linkType < 0) block.bytes(8, 'interface description');
    return { description: { linkType, snapLength, clock: readOptions(block) }, error: null };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { description: { linkType, snapLength, clock: new CaptureClock() }, error };
  }
}

function readOptions(block: BlockReader): CaptureClock {
  let units = 1_000_000n;
  let offset = 0;
  while (block.remaining > 0) {
    const code = block.u16('option code');
    const length = block.u16('option length');
    if (code === Option.END) break;
    const next = block.offset + ((length + 3) & ~3);
    if (next > block.end) block.bytes(next - block.offset, 'option value');
    if (code === Option.TIME_RESOLUTION && length >= 1) units = readResolution(block);
    else if (code === Option.TIME_OFFSET && length >= 8) offset = readOffset(block);
    block.offset = next;
  }
  return new CaptureClock(units, offset);
}

/** The top bit tells a power of 2 from a power of 10. */
function readResolution(block: BlockReader): bigint {
  const at = block.position;
  const value = block.u8('if_tsresol');
  const exponent = value & 0x7f;
  const binary = value >= 0x80;
  if (exponent > (binary ? MAX_BINARY_EXPONENT : MAX_DECIMAL_EXPONENT)) {
    throw new CodecError('ERR_VALUE', at, 'if_tsresol', `${value} is finer than any clock`);
  }
  return (binary ? 2n : 10n) ** BigInt(exponent);
}

function readOffset(block: BlockReader): number {
  const at = block.position;
  const value = Number(block.i64('if_tsoffset'));
  if (!Number.isSafeInteger(value)) {
    throw new CodecError('ERR_LIMIT', at, 'if_tsoffset', `${value} s are outside the safe range`);
  }
  return value;
}
