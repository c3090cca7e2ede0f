/** Limits of the capture reader. A file, or whoever sent what it holds, may be hostile: nothing grows past these. */

/** libpcap's own limit on the captured bytes of a packet, for every link type that is read here. */
export const MAX_FRAME_BYTES = 262_144;

/**
 * A pcapng block that is read as a whole: a frame of the largest size, and as much again for its options.
 * Blocks that are skipped (name tables, TLS keys, statistics) may be of any size, they are never held.
 */
export const MAX_BLOCK_BYTES = 2 * MAX_FRAME_BYTES;

/** Interfaces of a pcapng section. A host with a network namespace per container has some hundreds. */
export const MAX_INTERFACES = 4_096;

/** Two tags are usual (QinQ); more than four are a forgery or garbage. */
export const MAX_VLAN_TAGS = 4;

/** RFC 8200 knows six kinds of extension header, of which one may occur twice. */
export const MAX_EXTENSION_HEADERS = 8;

/** Endpoints whose text is remembered; past it the memory starts afresh, which costs only time. */
export const MAX_REMEMBERED_ENDPOINTS = 16_384;

/** Linux gives up on an incomplete IP packet after 30 s (ipfrag_time), so what a peer got is what came by then. */
export const FRAGMENT_TIMEOUT_SECONDS = 30;

/** The largest IP payload: the length field has 16 bits. */
export const MAX_IP_PAYLOAD_BYTES = 65_535;

/** Fragments that wait for the rest of their packet, all packets together; Linux keeps 4 MiB (ipfrag_high_thresh). */
export const MAX_FRAGMENT_BYTES = 16 * 1024 * 1024;

/** TCP data behind a hole, per stream. Linux' largest receive buffer is 6 MiB: a sender cannot be further ahead. */
export const MAX_STREAM_BYTES = 8 * 1024 * 1024;

/** TCP data behind holes, all streams together. */
export const MAX_STREAMS_BYTES = 64 * 1024 * 1024;

/** One direction of a TCP connection each; closed ones are remembered too, to know late retransmissions. */
export const MAX_STREAMS = 16_384;

/**
 * A hole that the receiver has acknowledged will never be filled: it got the bytes, the capture did not. A capture
 * from several queues can show the acknowledgement before the data, hence the wait.
 */
export const ACKED_HOLE_SECONDS = 1;

/** A hole that nobody acknowledges (one direction is captured) is given up after this long. */
export const HOLE_SECONDS = 30;

/** No window is larger (RFC 7323), so a segment further off than this is of another time. */
export const MAX_WINDOW_BYTES = 2 ** 30;

/** What a held piece of data costs beside its bytes, so that many tiny ones count for what they take. */
export const PIECE_OVERHEAD_BYTES = 128;
