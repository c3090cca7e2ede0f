/**
 * Finding the coordinator, mostly by TCP from a locator (GEODE-WIRE sections 4 and 5):
 *
 *     FindCoordinatorRequest    memberID member   count int   rejectedCoordinators member*   lastViewId int
 *                               requestId int   dhAlgo string   publicKey byte[]
 *     FindCoordinatorResponse   coordinator member|null   sender member|null   coordinatorPublicKey byte[]
 *                               rejection string   shortForm bool   fromView bool   npdEnabled bool
 *                               preferLocators bool   view view|null   registrants set
 *     GetViewRequest            nothing
 *     GetViewResponse           view view|null
 */

import { MAX_ADDRESSES } from '../../bytes/limits.ts';
import type { GeodeMemberId } from '../member.ts';
import { readMember, readNullableMember, writeMember, writeNullableMember } from '../member.ts';
import { readByteArray, readCount, writeByteArray } from '../primitives.ts';
import { readString, writeString } from '../strings.ts';
import { readNullableMembers, readNullableView, writeMembers, writeNullableView } from '../view.ts';
import type { MessageCodec } from './message-codec.ts';
import type {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
  GetViewRequest,
  GetViewResponse,
} from './types.ts';

export const findCoordinatorRequest: MessageCodec<FindCoordinatorRequest> = {
  read(reader, version) {
    const memberID = readMember(reader, version, 'FindCoordinatorRequest.memberID');
    const count = readCount(reader, MAX_ADDRESSES, 'FindCoordinatorRequest.count');
    const rejectedCoordinators: GeodeMemberId[] = [];
    for (let i = 0; i < count; i++) {
      rejectedCoordinators.push(readMember(reader, version, 'FindCoordinatorRequest.rejectedCoordinators'));
    }
    return {
      type: 'FindCoordinatorRequest',
      memberID,
      rejectedCoordinators,
      lastViewId: reader.i32('FindCoordinatorRequest.lastViewId'),
      requestId: reader.i32('FindCoordinatorRequest.requestId'),
      dhAlgo: readString(reader, 'FindCoordinatorRequest.dhAlgo'),
      publicKey: readByteArray(reader, 'FindCoordinatorRequest.publicKey'),
    };
  },
  write(sink, message, version) {
    writeMember(sink, message.memberID, version);
    sink.i32(message.rejectedCoordinators.length, 'FindCoordinatorRequest.count');
    for (const member of message.rejectedCoordinators) writeMember(sink, member, version);
    sink.i32(message.lastViewId, 'FindCoordinatorRequest.lastViewId');
    sink.i32(message.requestId, 'FindCoordinatorRequest.requestId');
    writeString(sink, message.dhAlgo, 'FindCoordinatorRequest.dhAlgo');
    writeByteArray(sink, message.publicKey, 'FindCoordinatorRequest.publicKey');
  },
};

export const findCoordinatorResponse: MessageCodec<FindCoordinatorResponse> = {
  read: (reader, version) => ({
    type: 'FindCoordinatorResponse',
    coordinator: readNullableMember(reader, version, 'FindCoordinatorResponse.coordinator'),
    sender: readNullableMember(reader, version, 'FindCoordinatorResponse.sender'),
    coordinatorPublicKey: readByteArray(reader, 'FindCoordinatorResponse.coordinatorPublicKey'),
    rejection: readString(reader, 'FindCoordinatorResponse.rejection'),
    shortForm: reader.bool('FindCoordinatorResponse.shortForm'),
    fromView: reader.bool('FindCoordinatorResponse.fromView'),
    npdEnabled: reader.bool('FindCoordinatorResponse.npdEnabled'),
    preferLocators: reader.bool('FindCoordinatorResponse.preferLocators'),
    view: readNullableView(reader, version, 'FindCoordinatorResponse.view'),
    registrants: readNullableMembers(reader, version, 'FindCoordinatorResponse.registrants'),
  }),
  write(sink, message, version) {
    writeNullableMember(sink, message.coordinator, version);
    writeNullableMember(sink, message.sender, version);
    writeByteArray(sink, message.coordinatorPublicKey, 'FindCoordinatorResponse.coordinatorPublicKey');
    writeString(sink, message.rejection, 'FindCoordinatorResponse.rejection');
    sink.bool(message.shortForm);
    sink.bool(message.fromView);
    sink.bool(message.npdEnabled);
    sink.bool(message.preferLocators);
    writeNullableView(sink, message.view, version);
    writeMembers(sink, message.registrants, version, 'FindCoordinatorResponse.registrants');
  },
};

export const getViewRequest: MessageCodec<GetViewRequest> = {
  read: () => ({ type: 'GetViewRequest' }),
  write: () => undefined,
};

export const getViewResponse: MessageCodec<GetViewResponse> = {
  read: (reader, version) => ({
    type: 'GetViewResponse',
    view: readNullableView(reader, version, 'GetViewResponse.view'),
  }),
  write(sink, message, version) {
    writeNullableView(sink, message.view, version);
  },
};
