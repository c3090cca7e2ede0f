/** Numbers of the 3.6 wire (WIRE-3.6 section 4). Append-only: a number never changes its meaning. */

export const ProtocolId = {
  FRAG2: 5,
  FC: 20,
  MFC: 44,
  UFC: 45,
  UNICAST3: 64,
  TP: 75,
} as const;

export const Magic = {
  FRAG2: 7,
  FC: 54,
  TP: 56,
  UNICAST3: 107,
} as const;

/** Class magic of Geode's JGAddress (WIRE-3.6 section 2). */
export const GEODE_ADDRESS_MAGIC = 2000;
