/** Views, digests and the other values that members hold of the group, as headers and payloads carry them. */

import type { Address, IpAddress } from './address.ts';

export interface ViewId {
  readonly creator: Address;
  readonly id: number;
}

/** Who is in the group, the coordinator first. */
export interface View {
  readonly kind: 'view';
  readonly viewId: ViewId;
  readonly members: readonly Address[];
}

/** A view that joins groups which had been apart, with the views that they had. */
export interface MergeView {
  readonly kind: 'merge';
  readonly viewId: ViewId;
  readonly members: readonly Address[];
  readonly subviews: readonly View[];
}

/** The difference to an earlier view, `refViewId`. */
export interface DeltaView {
  readonly kind: 'delta';
  readonly viewId: ViewId;
  readonly refViewId: ViewId;
  readonly left: readonly Address[];
  readonly joined: readonly Address[];
}

/** What was delivered and received of one sender's multicasts. `highestReceived` is never the lower one. */
export interface SeqnoPair {
  readonly highestDelivered: number;
  readonly highestReceived: number;
}

/** A seqno pair for each member. */
export interface Digest {
  /** Null: those of the view that the digest came with, in its order. */
  readonly members: readonly Address[] | null;
  readonly seqnos: readonly SeqnoPair[];
}

/** A view of the group, and how far everybody had got when it was made. */
export interface ViewAndDigest {
  readonly view: View | MergeView | DeltaView | null;
  readonly digest: Digest | null;
}

export interface JoinRsp {
  readonly view: View | null;
  /** Without members of its own. */
  readonly digest: Digest | null;
  /** Why the coordinator refused, else null. */
  readonly failReason: string | null;
}

/** What a member says of itself when it is discovered. */
export interface PingData {
  readonly sender: Address | null;
  /** It is a member, so it may be asked. */
  readonly server: boolean;
  readonly coord: boolean;
  readonly logicalName: string | null;
  readonly physicalAddress: Address | null;
  /** The members that are looked for; null: all. */
  readonly mbrs: readonly Address[] | null;
}

/** Where a member listens for FD_SOCK's connections. */
export interface SockEntry {
  readonly mbr: Address | null;
  readonly sockAddress: IpAddress | null;
}

export interface MergeId {
  readonly initiator: Address | null;
  readonly id: number;
}
