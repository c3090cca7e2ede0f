/** The payloads that JGroups itself writes, told apart by `kind`. */

import type { Address } from './address.ts';
import type { Digest, JoinRsp, MergeView, PingData, SockEntry, View, ViewAndDigest, ViewId } from './view.ts';

export type ProtocolPayload =
  /** UFC and MFC: bytes that may be sent, or that are asked for. */
  | { readonly kind: 'credits'; readonly credits: number }
  /** XMIT_REQ of UNICAST3 and NAKACK2: the seqnos that are asked for, ascending. */
  | { readonly kind: 'seqnos'; readonly seqnos: readonly number[] }
  /** STABLE. */
  | { readonly kind: 'digest'; readonly digest: Digest | null }
  /** Discovery. */
  | { readonly kind: 'ping-data'; readonly data: PingData | null }
  /** GMS: JOIN_RSP. */
  | { readonly kind: 'join-rsp'; readonly rsp: JoinRsp | null }
  /** GMS: VIEW, MERGE_RSP, INSTALL_MERGE_VIEW, GET_DIGEST_RSP, INSTALL_DIGEST. */
  | ({ readonly kind: 'view-and-digest' } & ViewAndDigest)
  /** GMS: MERGE_REQ. */
  | { readonly kind: 'members'; readonly members: readonly Address[] | null }
  /** GMS: GET_CURRENT_VIEW. */
  | { readonly kind: 'view-id'; readonly viewId: ViewId | null }
  /** MERGE3: VIEW_RSP. */
  | { readonly kind: 'view'; readonly view: View | MergeView | null }
  /** FD_SOCK: GET_CACHE_RSP. */
  | { readonly kind: 'sock-cache'; readonly entries: readonly SockEntry[] };
