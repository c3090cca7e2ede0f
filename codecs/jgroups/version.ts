/** A datagram's version: `major << 11 | minor << 6 | micro` (WIRE-3.6 section 3). */

export const VERSION_2_12_2 = 0x1302;
export const VERSION_3_6_14 = 0x198e;
export const VERSION_3_6_20 = 0x1994;

/** Peers accept every micro version of their own major and minor. */
export function majorMinor(version: number): number {
  return version >> 6;
}

/** Major version to the last minor that was released, or soon will be. */
const LAST_MINOR: readonly (number | undefined)[] = [undefined, undefined, 12, 6, 2, 6];

/**
 * Whether a JGroups of this major and minor version was ever released. Before 2.5 (2007) it wrote decimals, such as
 * 241 for 2.4.1: those are not taken for one.
 */
export function isReleased(version: number): boolean {
  const lastMinor = LAST_MINOR[version >> 11];
  return lastMinor !== undefined && ((version >> 6) & 0x1f) <= lastMinor;
}

/** E.g. 0x198e -> '3.6.14'. */
export function formatVersion(version: number): string {
  return `${version >> 11}.${(version >> 6) & 0x1f}.${version & 0x3f}`;
}
