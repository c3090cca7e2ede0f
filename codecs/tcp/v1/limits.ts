/** Limits and fixed numbers of the TCP wire, version 1. All are frozen: docs/tcp-wire.md. */

/**
 * The connecting side's first bytes, once. 0xf5 occurs in no UTF-8 text and so in no HTTP request, starts no TLS
 * record (0x16) and is not JGroups' "bela"; then "RGT".
 */
export const PREAMBLE: readonly number[] = [0xf5, 0x52, 0x47, 0x54];

export const PROTOCOL_VERSION = 1;

/** Bytes before a frame's body: u32 length (of what follows it), u8 type. */
export const FRAME_HEADER_BYTES = 5;

/** Largest value of a frame's length field. A frame holds up others behind it, so large messages are cut. */
export const MAX_FRAME_BYTES = 1024 * 1024;

/** The same before the handshake is done: what a stranger may make us hold. A HELLO with all texts full fits. */
export const MAX_HANDSHAKE_FRAME_BYTES = 64 * 1024;

/** Nobody may ask for smaller frames than this: a header a few bytes of payload would be a way to burn our CPU. */
export const MIN_FRAME_LIMIT_BYTES = 4 * 1024;

/** All fragments of a message together; bounds what a peer can make us reassemble. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** UTF-8 bytes of an IP literal with a zone name. */
export const MAX_HOST_BYTES = 255;

/** UTF-8 bytes of a cluster's or member's name: Geode's are host names and ids, far shorter. */
export const MAX_NAME_BYTES = 4 * 1024;

/** UTF-8 bytes of the words that go with a code: a log line. */
export const MAX_REASON_BYTES = 1024;

/** Extensions of HELLO and WELCOME. */
export const MAX_EXTENSION_BYTES = 16 * 1024;
