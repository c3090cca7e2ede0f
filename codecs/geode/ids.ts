/** Numbers of Geode's serialization (GEODE-WIRE sections 1, 2.3 and 4). Append-only: none ever changes its meaning. */

/** The first byte of an object: what kind of value follows. */
export const DsCode = {
  DS_FIXED_ID_BYTE: 1,
  DS_FIXED_ID_SHORT: 2,
  DS_FIXED_ID_INT: 3,
  PROPERTIES: 11,
  NULL: 41,
  STRING: 42,
  CLASS: 43,
  DATA_SERIALIZABLE: 45,
  BYTE_ARRAY: 46,
  NULL_STRING: 69,
  STRING_BYTES: 87,
  HUGE_STRING_BYTES: 88,
  HUGE_STRING: 89,
} as const;

/** A member id is one class in the product (geode-core) and another in the bare membership library; same body. */
export const MemberDsfid = { INTERNAL_DISTRIBUTED_MEMBER: 92, MEMBER_IDENTIFIER: 2184 } as const;

/** Class ids of the membership messages. */
export const MessageDsfid = {
  JoinRequest: -142,
  JoinResponse: -143,
  FindCoordinatorResponse: -144,
  FindCoordinatorRequest: -145,
  GetViewResponse: -146,
  GetViewRequest: -147,
  InstallView: -150,
  ViewAck: -151,
  LeaveRequest: -152,
  RemoveMember: -153,
  HeartbeatRequest: -154,
  Heartbeat: -155,
  SuspectMembers: -156,
  NetworkPartition: -157,
  FinalCheckPassed: -158,
} as const;

export const NET_VIEW_DSFID = -148;
