/**
 * Version ordinals (GEODE-WIRE sections 1 and 1.2). Compressed, as they stand nearly everywhere:
 *
 *     ordinal i8            if it fits and is not -1
 *     ff  ordinal i16       otherwise
 */

import type { ByteReader } from '../bytes/reader.ts';
import type { ByteSink } from './sink.ts';

/** Ordinal to the first release that reports it. */
const RELEASES: ReadonlyMap<number, string> = new Map([
  [35, 'GFE 8.1'],
  [45, '1.0.0-incubating'],
  [50, '1.1.0'],
  [55, '1.1.1'],
  [65, '1.2.0'],
  [70, '1.3.0'],
  [75, '1.4.0'],
  [80, '1.5.0'],
  [85, '1.6.0'],
  [90, '1.7.0'],
  [95, '1.8.0'],
  [100, '1.9.0'],
  [105, '1.10.0'],
  [110, '1.11.0'],
  [115, '1.12.0'],
  [116, '1.12.1'],
  [120, '1.13.0'],
  [121, '1.13.2'],
  [125, '1.14.0'],
  [150, '1.15.0'],
  [160, '2.0.0'],
]);

/** The oldest ordinal that a Geode locator knows; its version handshake is written with it. */
export const OLDEST_ORDINAL = 35;

/** What all of Geode 1.15 reports. */
export const ORDINAL_1_15 = 150;

/** From 1.0.0-incubating on a full member id has a uuid and a weight. */
export const FIRST_ORDINAL_WITH_UUID = 45;

/** From 1.2.0 on the sender id of a payload has the kind of the member. */
export const FIRST_ORDINAL_WITH_VM_KIND = 65;

/** The first release with this ordinal, e.g. 150 -> '1.15.0'; null for an ordinal that no release has. */
export function releaseOf(ordinal: number): string | null {
  return RELEASES.get(ordinal) ?? null;
}

/**
 * The version by which to read what a sender of `ordinal` wrote for a recipient of `recipientOrdinal`: the writer goes
 * down to its recipient's version, and takes an ordinal that it does not know for its own (GEODE-WIRE section 1.1).
 */
export function serializationVersion(ordinal: number, recipientOrdinal = ORDINAL_1_15): number {
  const known = (value: number): number => (RELEASES.has(value) ? value : ORDINAL_1_15);
  return Math.min(known(ordinal), known(recipientOrdinal));
}

/** Marks that two more bytes follow. It is why no compressed ordinal is -1. */
const TOKEN = -1;

export function readOrdinal(reader: ByteReader, field: string): number {
  const ordinal = reader.i8(field);
  return ordinal === TOKEN ? reader.i16(field) : ordinal;
}

export function writeOrdinal(sink: ByteSink, ordinal: number, field: string): void {
  if (ordinal >= -128 && ordinal <= 127 && ordinal !== TOKEN) {
    sink.u8(ordinal & 0xff, field);
  } else {
    sink.u8(0xff);
    sink.i16(ordinal, field);
  }
}
