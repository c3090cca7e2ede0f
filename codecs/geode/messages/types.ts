/** Geode's membership messages, with the names of GEODE-WIRE section 4. */

import type { Credentials } from '../credentials.ts';
import type { GeodeMemberId } from '../member.ts';
import type { NetView } from '../view.ts';

export interface JoinRequest {
  readonly type: 'JoinRequest';
  readonly memberID: GeodeMemberId;
  readonly credentials: Credentials | null;
  /** TCP port of the failure detection; <= 0: none. */
  readonly fdPort: number;
  /** False from every Geode since 1.12. */
  readonly isMulticast: boolean;
  readonly requestId: number;
}

/** A rejection has no view and no member; what precedes a view has no view. */
export interface JoinResponse {
  readonly type: 'JoinResponse';
  readonly currentView: NetView | null;
  readonly memberID: GeodeMemberId | null;
  /** Null: welcome. */
  readonly rejection: string | null;
  /** A JGroups digest, in clusters with multicast. */
  readonly messengerData: Uint8Array | null;
  readonly clusterSecretKey: Uint8Array | null;
}

/** In the order of their numbers on the wire. */
export const INSTALL_VIEW_KINDS = ['INSTALL', 'PREPARE', 'SYNC'] as const;

export interface InstallView {
  readonly type: 'InstallView';
  readonly previousViewId: number;
  readonly kind: (typeof INSTALL_VIEW_KINDS)[number];
  readonly view: NetView;
  readonly credentials: Credentials | null;
}

export interface ViewAck {
  readonly type: 'ViewAck';
  readonly viewId: number;
  readonly preparing: boolean;
  /** The view that the sender has prepared instead, if it refuses. */
  readonly alternateView: NetView | null;
}

export interface LeaveRequest {
  readonly type: 'LeaveRequest';
  readonly memberID: GeodeMemberId;
  readonly reason: string | null;
}

export interface RemoveMember {
  readonly type: 'RemoveMember';
  readonly memberID: GeodeMemberId;
  readonly reason: string | null;
}

export interface HeartbeatRequest {
  readonly type: 'HeartbeatRequest';
  /** -1: nobody waits for the answer. */
  readonly requestId: number;
  readonly target: GeodeMemberId;
}

export interface Heartbeat {
  readonly type: 'Heartbeat';
  /** -1: unasked. */
  readonly requestId: number;
}

export interface SuspectMembers {
  readonly type: 'SuspectMembers';
  readonly suspects: readonly { readonly member: GeodeMemberId; readonly reason: string | null }[];
}

export interface NetworkPartition {
  readonly type: 'NetworkPartition';
}

export interface FinalCheckPassed {
  readonly type: 'FinalCheckPassed';
  readonly suspect: GeodeMemberId;
}

/** To a locator by TCP; by UDP only when a coordinator is searched from a recovered view. */
export interface FindCoordinatorRequest {
  readonly type: 'FindCoordinatorRequest';
  readonly memberID: GeodeMemberId;
  readonly rejectedCoordinators: readonly GeodeMemberId[];
  /** -100 the first time. */
  readonly lastViewId: number;
  readonly requestId: number;
  /** '' for none: a locator cannot take null. */
  readonly dhAlgo: string | null;
  readonly publicKey: Uint8Array | null;
}

export interface FindCoordinatorResponse {
  readonly type: 'FindCoordinatorResponse';
  readonly coordinator: GeodeMemberId | null;
  readonly sender: GeodeMemberId | null;
  readonly coordinatorPublicKey: Uint8Array | null;
  readonly rejection: string | null;
  /** True: a Java receiver reads no further, though all that follows is written. */
  readonly shortForm: boolean;
  readonly fromView: boolean;
  readonly npdEnabled: boolean;
  readonly preferLocators: boolean;
  readonly view: NetView | null;
  readonly registrants: readonly GeodeMemberId[] | null;
}

export interface GetViewRequest {
  readonly type: 'GetViewRequest';
}

export interface GetViewResponse {
  readonly type: 'GetViewResponse';
  readonly view: NetView | null;
}

export type MembershipMessage =
  | JoinRequest
  | JoinResponse
  | InstallView
  | ViewAck
  | LeaveRequest
  | RemoveMember
  | HeartbeatRequest
  | Heartbeat
  | SuspectMembers
  | NetworkPartition
  | FinalCheckPassed
  | FindCoordinatorRequest
  | FindCoordinatorResponse
  | GetViewRequest
  | GetViewResponse;
