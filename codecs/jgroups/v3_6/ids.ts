/** Numbers of the 3.6 wire (WIRE-3.6 section 4). Append-only: a number never changes its meaning. */

export const ProtocolId = {
  FD: 2,
  FD_SOCK: 3,
  FRAG2: 5,
  PING: 6,
  MPING: 7,
  S3_PING: 8,
  FILE_PING: 9,
  TCPPING: 10,
  TCPGOSSIP: 11,
  VERIFY_SUSPECT: 13,
  GMS: 14,
  STABLE: 16,
  STATE_TRANSFER: 17,
  COMPRESS: 19,
  FC: 20,
  ENCRYPT: 25,
  SEQUENCER: 26,
  FD_ALL: 29,
  FD_ALL2: 30,
  AUTH: 33,
  STATE: 34,
  STATE_SOCK: 35,
  MFC: 44,
  UFC: 45,
  JDBC_PING: 46,
  BPING: 49,
  MERGE3: 54,
  RSVP: 55,
  RACKSPACE_PING: 56,
  NAKACK2: 57,
  SWIFT_PING: 59,
  UNICAST3: 64,
  SHARED_LOOPBACK_PING: 67,
  GOOGLE_PING: 69,
  TP: 75,
  SYM_ENCRYPT: 76,
  ASYM_ENCRYPT: 77,
} as const;

/** Of header classes. */
export const Magic = {
  FD: 3,
  FD_SOCK: 6,
  FRAG2: 7,
  PING: 13,
  VERIFY_SUSPECT: 22,
  GMS: 24,
  STABLE: 27,
  STATE_TRANSFER: 28,
  COMPRESS: 53,
  FC: 54,
  TP: 56,
  ENCRYPT: 57,
  SEQUENCER: 58,
  FD_ALL: 61,
  FD_ALL2: 62,
  STREAMING_STATE_TRANSFER: 65,
  AUTH: 67,
  MERGE3: 90,
  RSVP: 91,
  NAKACK2: 93,
  UNICAST3: 107,
} as const;

/** Of the classes of AUTH's tokens that have one. */
export const TokenMagic = {
  SimpleToken: 103,
  FixedMembershipToken: 104,
  MD5Token: 105,
  X509Token: 106,
} as const;

/** Class magic of Geode's JGAddress (WIRE-3.6 section 2). */
export const GEODE_ADDRESS_MAGIC = 2000;
