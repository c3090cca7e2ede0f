/**
 * What a receiver of many datagrams has seen before, so that the same bytes need not become the same address again:
 * the caller owns it and passes it in. Values are equal to those decoded without it, and shared between datagrams.
 */

import type { Address } from './address.ts';
import type { TpHeader } from './headers.ts';

/** Most clusters are smaller; of two addresses that fall on one slot, each only costs the other its place. */
const SLOTS = 256;

interface Slot {
  readonly bytes: Uint8Array;
  readonly address: Address;
}

/** Holds at most 256 addresses, of at most 50 bytes each. */
export class DecodeCache {
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined);
  /** The last one that was decoded: on one port it is mostly the same cluster's. */
  tp: TpHeader | null = null;

  /** The address that these bytes were decoded to before; null: none. */
  find(buffer: Uint8Array, start: number, length: number): Address | null {
    // an address ends with bits of its uuid, which are random
    const slot = this.#slots[buffer[start + length - 1] as number];
    if (slot === undefined) return null;
    const { bytes } = slot;
    if (bytes.length !== length) return null;
    for (let i = length - 1; i >= 0; i--) if (bytes[i] !== buffer[start + i]) return null;
    return slot.address;
  }

  add(buffer: Uint8Array, start: number, length: number, address: Address): void {
    const bytes = new Uint8Array(length);
    bytes.set(buffer.subarray(start, start + length));
    this.#slots[bytes[length - 1] as number] = { bytes, address };
  }
}
