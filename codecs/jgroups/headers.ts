/**
 * The headers of the 3.6 wire, told apart by `protocol` (the name of the protocol id) and `type`; fields and types
 * bear the names of WIRE-3.6. BARRIER puts no header on the wire.
 */

import type { Address, IpAddress } from './address.ts';
import type { Digest, MergeId, ViewId } from './view.ts';

export interface TpHeader {
  readonly protocol: 'TP';
  /** Null where the sender wrote length -1. */
  readonly cluster: string | null;
}

export type Unicast3Header =
  | {
      readonly protocol: 'UNICAST3';
      readonly type: 'DATA';
      readonly seqno: number;
      readonly connId: number;
      readonly first: boolean;
    }
  | {
      readonly protocol: 'UNICAST3';
      readonly type: 'ACK';
      readonly seqno: number;
      readonly connId: number;
      readonly timestamp: number;
    }
  | { readonly protocol: 'UNICAST3'; readonly type: 'SEND_FIRST_SEQNO'; readonly timestamp: number }
  | { readonly protocol: 'UNICAST3'; readonly type: 'XMIT_REQ' }
  | { readonly protocol: 'UNICAST3'; readonly type: 'CLOSE'; readonly connId: number };

export type Nakack2Header =
  | {
      readonly protocol: 'NAKACK2';
      readonly type: 'MSG' | 'XMIT_RSP' | 'HIGHEST_SEQNO';
      readonly seqno: number;
    }
  /** `sender`: whose messages are missing; which ones is in the payload. */
  | { readonly protocol: 'NAKACK2'; readonly type: 'XMIT_REQ'; readonly sender: Address };

export interface StableHeader {
  readonly protocol: 'STABLE';
  readonly type: 'STABLE_GOSSIP' | 'STABILITY';
  readonly viewId: ViewId | null;
}

/** Credits of unicasts (UFC) or multicasts (MFC); the amount is the payload, an 8-byte long. */
export interface FcHeader {
  readonly protocol: 'UFC' | 'MFC' | 'FC';
  readonly type: 'REPLENISH' | 'CREDIT_REQUEST';
}

export interface Frag2Header {
  readonly protocol: 'FRAG2';
  readonly id: number;
  /** 0-based. */
  readonly fragNo: number;
  readonly numFrags: number;
}

export type GmsType =
  | 'JOIN_REQ'
  | 'JOIN_RSP'
  | 'LEAVE_REQ'
  | 'LEAVE_RSP'
  | 'VIEW'
  | 'MERGE_REQ'
  | 'MERGE_RSP'
  | 'INSTALL_MERGE_VIEW'
  | 'CANCEL_MERGE'
  | 'VIEW_ACK'
  | 'JOIN_REQ_WITH_STATE_TRANSFER'
  | 'INSTALL_MERGE_VIEW_OK'
  | 'GET_DIGEST_REQ'
  | 'GET_DIGEST_RSP'
  | 'INSTALL_DIGEST'
  | 'GET_CURRENT_VIEW';

/** Views and digests are in the payload. */
export interface GmsHeader {
  readonly protocol: 'GMS';
  readonly type: GmsType;
  readonly mbr: Address | null;
  readonly mergeId: MergeId | null;
  readonly useFlush: boolean;
  readonly mergeRejected: boolean;
}

/** Protocols that find the first members, all with the same header. */
export type DiscoveryProtocol =
  | 'PING'
  | 'MPING'
  | 'S3_PING'
  | 'FILE_PING'
  | 'TCPPING'
  | 'TCPGOSSIP'
  | 'JDBC_PING'
  | 'BPING'
  | 'RACKSPACE_PING'
  | 'SWIFT_PING'
  | 'SHARED_LOOPBACK_PING'
  | 'GOOGLE_PING';

/** The payload is a PingData. */
export interface PingHeader {
  readonly protocol: DiscoveryProtocol;
  readonly type: 'GET_MBRS_REQ' | 'GET_MBRS_RSP';
  readonly cluster: string | null;
}

export interface FdHeader {
  readonly protocol: 'FD';
  readonly type: 'HEARTBEAT' | 'ACK' | 'SUSPECT' | 'UNSUSPECT';
  readonly mbrs: readonly Address[] | null;
  readonly from: Address | null;
}

/** It says nothing but that its sender lives. */
export interface HeartbeatHeader {
  readonly protocol: 'FD_ALL' | 'FD_ALL2';
  readonly type: 'HEARTBEAT';
}

export interface FdSockHeader {
  readonly protocol: 'FD_SOCK';
  readonly type: 'SUSPECT' | 'UNSUSPECT' | 'WHO_HAS_SOCK' | 'I_HAVE_SOCK' | 'GET_CACHE' | 'GET_CACHE_RSP';
  readonly mbr: Address | null;
  readonly sockAddress: IpAddress | null;
  readonly mbrs: readonly Address[];
}

export interface VerifySuspectHeader {
  readonly protocol: 'VERIFY_SUSPECT';
  readonly type: 'ARE_YOU_DEAD' | 'I_AM_NOT_DEAD';
  readonly from: Address | null;
}

export interface Merge3Header {
  readonly protocol: 'MERGE3';
  readonly type: 'INFO' | 'VIEW_REQ' | 'VIEW_RSP';
  readonly viewId: ViewId | null;
  readonly logicalName: string | null;
  readonly physicalAddress: Address | null;
}

export interface RsvpHeader {
  readonly protocol: 'RSVP';
  readonly type: 'REQ' | 'REQ_ONLY' | 'RSP';
  readonly id: number;
}

export interface SequencerHeader {
  readonly protocol: 'SEQUENCER';
  readonly type: 'FORWARD' | 'FLUSH' | 'BCAST' | 'WRAPPED_BCAST';
  /** -1: none. */
  readonly seqno: number;
  readonly flushAck: boolean;
}

/** The payload is compressed. */
export interface CompressHeader {
  readonly protocol: 'COMPRESS';
  /** Bytes of the payload before it was compressed. */
  readonly originalSize: number;
}

/** The payload is encrypted, or is key material. Bytes are hex. */
export interface EncryptHeader {
  readonly protocol: 'SYM_ENCRYPT' | 'ASYM_ENCRYPT';
  readonly type: 'ENCRYPT' | 'SECRET_KEY_REQ' | 'SECRET_KEY_RSP' | 'NEW_KEYSERVER' | 'NEW_KEYSERVER_ACK';
  /** Of the key. */
  readonly version: string | null;
  /** The encrypted checksum. */
  readonly signature: string | null;
}

/** The protocol that SYM_ENCRYPT and ASYM_ENCRYPT took the place of in 3.6.10. */
export interface OldEncryptHeader {
  readonly protocol: 'ENCRYPT';
  readonly type: 'ENCRYPT' | 'KEY_REQUEST' | 'SECRETKEY';
  /** The headers of the message are inside the encrypted payload too. */
  readonly entireMessage: boolean;
  readonly version: string;
}

/** What a joiner shows to be let in. */
export interface AuthToken {
  /** Of the Java class. */
  readonly className: string;
  /** The secret, ticket or certificate: a string, or bytes in hex; null where the class has or sends none. */
  readonly value: string | null;
}

export interface AuthHeader {
  readonly protocol: 'AUTH';
  readonly token: AuthToken | null;
}

/** The payload is the state, if there is one. */
export interface StateTransferHeader {
  readonly protocol: 'STATE_TRANSFER';
  readonly type: 'STATE_REQ' | 'STATE_RSP' | 'STATE_EX';
  readonly digest: Digest | null;
}

export interface StreamingStateHeader {
  readonly protocol: 'STATE' | 'STATE_SOCK';
  readonly type: 'STATE_REQ' | 'STATE_RSP' | 'STATE_PART' | 'STATE_EOF' | 'STATE_EX';
  readonly digest: Digest | null;
  /** Where the state can be fetched (STATE_SOCK). */
  readonly bindAddress: IpAddress | null;
}

/**
 * A header of a class that is not known. The wire gives no lengths, so nothing after it can be told apart: neither
 * the message's other headers and its payload, nor the messages behind it in a bundle.
 */
export interface UnknownHeader {
  readonly protocol: 'UNKNOWN';
  readonly protocolId: number;
  /** Of the header's class. */
  readonly magic: number;
  /** Headers of the same message that follow it somewhere in `rest`. */
  readonly remainingHeaders: number;
  /** Whether the message's payload is somewhere in `rest`. */
  readonly hasPayload: boolean;
  /** All bytes of the datagram after the class magic; a view of the input. */
  readonly rest: Uint8Array;
}

export type KnownHeader =
  | TpHeader
  | Unicast3Header
  | Nakack2Header
  | StableHeader
  | FcHeader
  | Frag2Header
  | GmsHeader
  | PingHeader
  | FdHeader
  | HeartbeatHeader
  | FdSockHeader
  | VerifySuspectHeader
  | Merge3Header
  | RsvpHeader
  | SequencerHeader
  | CompressHeader
  | EncryptHeader
  | OldEncryptHeader
  | AuthHeader
  | StateTransferHeader
  | StreamingStateHeader;

export type Header = KnownHeader | UnknownHeader;
