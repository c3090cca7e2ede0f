/** What Apache Geode puts inside JGroups messages, and what its membership says on TCP beside them (GEODE-WIRE). */
export type { Credentials, PropertyValue } from './credentials.ts';
export { describePayload, describeStreamMessage } from './describe.ts';
export type { DescribeOptions, Json, JsonObject } from './describe.ts';
export {
  decodeFailureDetectionRequest,
  decodeFailureDetectionResponse,
  encodeFailureDetectionRequest,
  encodeFailureDetectionResponse,
  FAILURE_DETECTION_REQUEST_BYTES,
} from './failure-detection.ts';
export type { FailureDetectionRequest } from './failure-detection.ts';
export { MemberDsfid, MessageDsfid } from './ids.ts';
export {
  decodeLocatorRequest,
  decodeLocatorResponse,
  encodeLocatorRequest,
  encodeLocatorResponse,
  GOSSIP_VERSION,
} from './locator.ts';
export type { LocatorObject, LocatorRequest, ServerObject } from './locator.ts';
export { MemberFlag, VmKind } from './member.ts';
export type { EssentialId, GeodeMemberId } from './member.ts';
export { decodeObject, dsfidName, encodeObject, objectSize } from './messages/index.ts';
export type { GeodeObject, OpaqueObject } from './messages/index.ts';
export type * from './messages/types.ts';
export {
  carriesPayload,
  decodePayload,
  encodePayload,
  encodeProbe,
  looksLikePayload,
  payloadSize,
  probeOf,
} from './payload.ts';
export type { ClearPayload, EncryptedPayload, GeodePayload, Probe, ProbePayload } from './payload.ts';
export { GeodeStream } from './stream.ts';
export type { StreamKind, StreamMessage } from './stream.ts';
export { OLDEST_ORDINAL, ORDINAL_1_15, releaseOf, serializationVersion } from './versions.ts';
export type { NetView, PublicKey } from './view.ts';
