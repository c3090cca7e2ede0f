/** What is kept of a capture, whatever its length: a capture of 10 GB must fit as well as one of 10 kB. */

/** Members with a row of their own. Captures name few; forged addresses could name millions. */
export const MAX_MEMBERS = 1_000;

/** Sender-recipient pairs with state of their own. Messages beyond are counted, not followed. */
export const MAX_PAIRS = 1_000;

/** Unacknowledged messages whose time is remembered, per pair: 0.5 s of traffic at 8,000 messages a second. */
export const MAX_OPEN = 4_096;

/** The same for all pairs together: about 100 bytes each. */
export const MAX_OPEN_IN_ALL = 400_000;

/** Seqnos that are missing, and seqnos that were asked for, per pair. */
export const MAX_MISSING = 1_024;
export const MAX_ASKED = 1_024;

/** Incomplete fragmented messages per pair, and the fragments of one that are told apart. */
export const MAX_FRAGMENTED = 128;
export const MAX_FRAGMENTS = 4_096;

/** Views listed, and members listed of each. */
export const MAX_VIEWS = 500;
export const MAX_VIEW_MEMBERS = 200;

/** Anomalies kept of each severity, and of each kind within one pair. The rest is counted. */
export const MAX_ANOMALIES = 300;
export const MAX_ALIKE = 10;

/** Pairs of members with a sequence diagram, and arrows in each. */
export const MAX_CONVERSATIONS = 200;
export const MAX_ARROWS = 160;

/** Ordinary messages at the beginning of a diagram, and before each arrow of note. */
export const FIRST_ARROWS = 24;
export const ARROWS_BEFORE = 2;

/** Intervals of the timeline. When there are more, two become one. */
export const MAX_INTERVALS = 240;
export const FIRST_INTERVAL_S = 0.01;

/** Distinct names kept of what a peer can choose: versions, clusters. */
export const MAX_NAMES = 16;

/** Characters shown of a name that a peer chose. */
export const MAX_NAME_CHARS = 40;

/** A second copy within this time, unasked, is the network's or the capture's, not the sender's. */
export const COPY_S = 0.01;

/** What fills a gap unasked within this time had only been overtaken. */
export const REORDER_S = 0.1;
