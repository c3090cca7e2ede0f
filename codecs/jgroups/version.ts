/** A datagram's version: `major << 11 | minor << 6 | micro` (WIRE-3.6 section 3). */

export const VERSION_2_12_2 = 0x1302;
export const VERSION_3_6_14 = 0x198e;
export const VERSION_3_6_20 = 0x1994;

/** Peers accept every micro version of their own major and minor. */
export function majorMinor(version: number): number {
  return version >> 6;
}

/** E.g. 0x198e -> '3.6.14'. */
export function formatVersion(version: number): string {
  return `${version >> 11}.${(version >> 6) & 0x1f}.${version & 0x3f}`;
}
