/** Limits of what a decoder accepts, each with its reason. Past them a CodecError is thrown before anything is allocated. */

/** An IPv4 UDP datagram carries no more payload than this: 65535 - 20 - 8. */
export const MAX_UDP_PAYLOAD_BYTES = 65_507;

/** JGroups' own stacks put at most 6 headers on a message; an application may add some. */
export const MAX_HEADERS = 64;

/** The smallest message of a bundle takes 5 bytes, so a UDP datagram cannot hold more. */
export const MAX_BUNDLE_MESSAGES = 13_107;

/** A cluster or logical name; JGroups' length field is a short. */
export const MAX_NAME_BYTES = 32_767;

/** Members in an address list or view: the largest JGroups cluster on record has about 2,000. */
export const MAX_ADDRESSES = 10_000;

/**
 * Capacity in bits of a SeqnoList. JGroups limits a request to (max_bundle_size - 50) * 8 seqnos
 * (WIRE-3.6 section 5), which for the default bundle of 64000 bytes is 511,600.
 */
export const MAX_SEQNO_LIST_BITS = 511_600;

/** Sequence numbers are JavaScript numbers; a peer that sends 1e6 messages a second needs 285 years to get there. */
export const MAX_SEQNO = Number.MAX_SAFE_INTEGER;

/** Server groups of one Geode member: a configured list, of a few names in practice. */
export const MAX_MEMBER_GROUPS = 1_000;

/** Credentials of a Geode member: a Properties object of a few entries. */
export const MAX_PROPERTIES = 1_000;

/** Ports in a Geode view: one a member, and the array grows by 10 (GEODE-WIRE section 4). */
export const MAX_FD_PORTS = MAX_ADDRESSES + 1_000;

/** Lines of a locator's InfoResponse, which is text for a person. */
export const MAX_INFO_LINES = 10_000;

/**
 * A request to a Geode locator, or its answer. The largest carries a view and a set of registrants: twice 10,000
 * members of about 100 bytes would be 2 MB.
 */
export const MAX_LOCATOR_BYTES = 4 * 1024 * 1024;
