/** Headers that the 2.12 wire has otherwise than 3.6, or alone (WIRE-3.6 section 15). */

import type { Address, IpAddress } from '../address.ts';
import type {
  DiscoveryProtocol,
  FcHeader,
  FdHeader,
  Frag2Header,
  GmsType,
  HeartbeatHeader,
  UnknownHeader,
  VerifySuspectHeader,
} from '../headers.ts';
import type { BundleDatagram, Message, SingleDatagram } from '../message.ts';
import type { MergeId, SockEntry, ViewId } from '../view.ts';

/** A view, or with `subviews` a MergeView; it may carry bytes of its own. */
export interface View212 {
  readonly viewId: ViewId | null;
  readonly members: readonly Address[] | null;
  /** Hex, '' for none. */
  readonly payload: string;
  /** Null: no MergeView. */
  readonly subviews: readonly View212[] | null;
}

export interface DigestEntry212 {
  readonly member: Address;
  readonly low: number;
  readonly highestDelivered: number;
  /** -1: not said. */
  readonly highestReceived: number;
}

export type Digest212 = readonly DigestEntry212[];

export interface JoinRsp212 {
  readonly view: View212 | null;
  readonly digest: Digest212 | null;
  readonly failReason: string | null;
}

export interface PingData212 {
  readonly sender: Address | null;
  readonly view: View212 | null;
  readonly viewId: ViewId | null;
  readonly server: boolean;
  readonly logicalName: string | null;
  readonly physicalAddresses: readonly Address[] | null;
}

export type TransportName = 'UDP' | 'TCP' | 'TCP_NIO' | 'TUNNEL';

export interface TpHeader212 {
  readonly protocol: 'TP';
  readonly transport: TransportName;
  readonly cluster: string;
}

export type UnicastHeader212 =
  | {
      readonly protocol: 'UNICAST';
      readonly type: 'DATA';
      readonly seqno: number;
      readonly connId: number;
      readonly first: boolean;
    }
  | { readonly protocol: 'UNICAST'; readonly type: 'ACK'; readonly seqno: number }
  | { readonly protocol: 'UNICAST'; readonly type: 'SEND_FIRST_SEQNO' };

export type NakackHeader212 =
  | { readonly protocol: 'NAKACK'; readonly type: 'MSG' | 'XMIT_RSP'; readonly seqno: number }
  | {
      readonly protocol: 'NAKACK';
      readonly type: 'XMIT_REQ';
      /** Inclusive; both null: no range was written. */
      readonly low: number | null;
      readonly high: number | null;
      readonly sender: Address | null;
    };

export interface StableHeader212 {
  readonly protocol: 'STABLE';
  readonly type: 'STABLE_GOSSIP' | 'STABILITY';
  readonly digest: Digest212 | null;
}

export interface PingHeader212 {
  readonly protocol: DiscoveryProtocol;
  readonly type: 'GET_MBRS_REQ' | 'GET_MBRS_RSP';
  readonly data: PingData212 | null;
  readonly cluster: string | null;
  readonly viewId: ViewId | null;
}

export interface FdSockHeader212 {
  readonly protocol: 'FD_SOCK';
  readonly type: 'SUSPECT' | 'WHO_HAS_SOCK' | 'I_HAVE_SOCK' | 'GET_CACHE' | 'GET_CACHE_RSP';
  readonly mbr: Address | null;
  readonly sockAddress: IpAddress | null;
  readonly cache: readonly SockEntry[];
  readonly mbrs: readonly Address[];
}

export interface GmsHeader212 {
  readonly protocol: 'GMS';
  readonly type: GmsType;
  readonly view: View212 | null;
  readonly mbr: Address | null;
  readonly mbrs: readonly Address[] | null;
  readonly joinRsp: JoinRsp212 | null;
  readonly digest: Digest212 | null;
  readonly mergeId: MergeId | null;
  readonly mergeRejected: boolean;
  readonly useFlush: boolean;
}

export type KnownHeader212 =
  | TpHeader212
  | UnicastHeader212
  | NakackHeader212
  | StableHeader212
  | PingHeader212
  | FdSockHeader212
  | GmsHeader212
  | Frag2Header
  | FdHeader
  | (HeartbeatHeader & { readonly protocol: 'FD_ALL' })
  | VerifySuspectHeader
  | FcHeader;

export type Header212 = KnownHeader212 | UnknownHeader;
export type Message212 = Message<Header212>;
export type SingleDatagram212 = SingleDatagram<Header212>;
/** `cluster` is null: each message has a TP header. */
export type BundleDatagram212 = BundleDatagram<Header212>;
export type Datagram212 = SingleDatagram212 | BundleDatagram212;
