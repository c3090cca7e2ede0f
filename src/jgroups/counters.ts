/** What happened in one legacy stack since it was made. */
export class JGroupsCounters {
  datagramsSent = 0;
  datagramsReceived = 0;
  bytesSent = 0;
  bytesReceived = 0;
  /** Datagrams of several messages. */
  bundlesSent = 0;
  /** Datagrams that do not follow the wire format, or are none of JGroups. */
  malformed = 0;
  /** Datagrams of another JGroups version than 3.6, of those that were released. */
  otherVersion = 0;
  /** Messages of another cluster that shares the port. */
  otherCluster = 0;
  /** Unicasts for another member, mostly one that had this port before. */
  notForUs = 0;
  /** Datagrams from our own address, or messages in our own name: an echo, or somebody with our uuid. */
  ownPackets = 0;
  /** Messages that a rule of a protocol forbids. */
  rejected = 0;
  acksSent = 0;
  acksReceived = 0;
  duplicates = 0;
  /** First messages of connections that their sender had replaced or closed already: duplicates that came late. */
  staleConnections = 0;
  /** Messages too far ahead of a gap, dropped; they are asked for again. */
  beyondWindow = 0;
  xmitRequestsSent = 0;
  xmitRequestsReceived = 0;
  retransmitted = 0;
  /** Times that messages had to wait for acks of earlier ones. */
  paced = 0;
  /** Datagrams with fillers, which a receiver acknowledges at once. */
  acksAskedFor = 0;
  /** Messages dropped for want of a connection, and the requests for its first message. */
  noConnection = 0;
  firstSeqnoRequestsSent = 0;
  creditRequestsSent = 0;
  replenishesSent = 0;
  /** Times that a message had to wait for credits. */
  blocked = 0;
  fragmentsDropped = 0;
  /** Group messages of senders that are in no view or digest of ours. */
  fromStrangers = 0;
  /** HIGHEST_SEQNO of ours. */
  highestSeqnosSent = 0;
  gossipsSent = 0;
  gossipsReceived = 0;
  stabilitiesSent = 0;
  stabilitiesReceived = 0;
  /** Group messages that nobody has any more, given up by a joiner without a digest. */
  givenUp = 0;
  /** Times that a member took nothing for a member timeout though something waited for it. */
  peerStalls = 0;
  /** RSVP: messages of others whose delivery was confirmed to them. */
  confirmationsSent = 0;
  /** RSVP: recipients that did not confirm a message of ours, or left before. */
  unconfirmed = 0;
  /** Quorum pings of others. */
  pingsAnswered = 0;
  pongsReceived = 0;
}
