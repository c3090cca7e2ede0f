/** Numbers on the wire. Append only: a number that was ever in use keeps its meaning. */

export const FrameType = {
  HELLO: 1,
  WELCOME: 2,
  REJECT: 3,
  DATA: 4,
  UNRELIABLE: 5,
  ACK: 6,
  PING: 7,
  PONG: 8,
  GOODBYE: 9,
} as const;

export type FrameName = keyof typeof FrameType;

/** Who connects. A gateway has an identity of its own and speaks for others; no peer of version 1 accepts one. */
export const PeerKind = { member: 1, gateway: 2 } as const;

/** Why a connection was refused before it was established. */
export const RejectCode = {
  /** The preamble or a frame does not follow the wire format, or came out of turn. */
  MALFORMED: 1,
  /** No protocol version in common. */
  VERSION: 2,
  /** Another cluster. */
  CLUSTER: 3,
  /** Whom the connector expects does not live here (any more). */
  RECIPIENT: 4,
  /** A view of ours dropped the connector. */
  DEPARTED: 5,
  /** A later connection of the same session was established already. */
  STALE: 6,
  /** A kind of peer that the acceptor does not serve. */
  PEER_KIND: 7,
  /** The connector claims what it cannot have had acknowledged. */
  SEQNO: 8,
  /** The handshake took too long. */
  TIMEOUT: 9,
  /** Too many connections. */
  BUSY: 10,
  /** The acceptor is stopping. */
  STOPPING: 11,
  /** The connector claims the acceptor's own uuid. */
  IDENTITY: 12,
  /** Too many connections from the connector's address. */
  ADDRESS_BUSY: 13,
  /** Others wanted to come in, and this connection had waited longest for its HELLO. */
  CROWDED: 14,
  /** Too many bytes are held of connections without a HELLO, most of them of this one. */
  GREEDY: 15,
  /** The acceptor takes nothing but TLS. */
  TLS_REQUIRED: 40,
  /** The connector showed no certificate, or one that is not trusted. */
  CERTIFICATE: 41,
  /** The connector's certificate is that of another member. */
  CERTIFICATE_NAME: 42,
} as const;

/** Why an established connection ends. */
export const GoodbyeCode = {
  /** The sender of this frame is stopping. */
  STOPPED: 1,
  /** A view dropped the peer. */
  DEPARTED: 2,
  /** A frame did not follow the wire format, or came out of turn. */
  MALFORMED: 3,
  /** The peer opened another connection of the same session. */
  REPLACED: 4,
  /** Nothing was heard of the peer for too long. */
  SILENT: 5,
  /** The peer acknowledged nothing for too long. */
  STALLED: 6,
  /** The acceptor's certificate is that of another member. */
  CERTIFICATE_NAME: 40,
} as const;

/** The name of a code, for logs; numbers that a later version may have added stay numbers. */
export function codeName(table: Readonly<Record<string, number>>, code: number): string {
  for (const [name, known] of Object.entries(table)) if (known === code) return name;
  return String(code);
}
