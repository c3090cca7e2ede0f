/**
 * Joining, leaving and views (GEODE-WIRE section 4):
 *
 *     JoinRequest    memberID member   credentials object   fdPort int   isMulticast bool   requestId int
 *     JoinResponse   currentView view|null   memberID member|null   rejection string   messengerData byte[]
 *                    clusterSecretKey byte[]
 *     InstallView    previousViewId int   kind int   view   credentials object
 *     ViewAck        viewId int   preparing bool   alternateView view|null
 *     LeaveRequest   memberID member   reason string
 *     RemoveMember   memberID member   reason string
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import { readCredentials, writeCredentials } from '../credentials.ts';
import { readMember, readNullableMember, writeMember, writeNullableMember } from '../member.ts';
import { readByteArray, writeByteArray } from '../primitives.ts';
import type { ByteSink } from '../sink.ts';
import { readString, writeString } from '../strings.ts';
import { readNullableView, readView, writeNullableView, writeView } from '../view.ts';
import type { MessageCodec } from './message-codec.ts';
import type { InstallView, JoinRequest, JoinResponse, LeaveRequest, RemoveMember, ViewAck } from './types.ts';
import { INSTALL_VIEW_KINDS } from './types.ts';

/** fdPort, isMulticast and requestId: what follows the credentials of a JoinRequest. */
const AFTER_CREDENTIALS_BYTES = 9;

export const joinRequest: MessageCodec<JoinRequest> = {
  read: (reader, version) => ({
    type: 'JoinRequest',
    memberID: readMember(reader, version, 'JoinRequest.memberID'),
    credentials: readCredentials(reader, AFTER_CREDENTIALS_BYTES, 'JoinRequest.credentials'),
    fdPort: reader.i32('JoinRequest.fdPort'),
    isMulticast: reader.bool('JoinRequest.isMulticast'),
    requestId: reader.i32('JoinRequest.requestId'),
  }),
  write(sink, message, version) {
    writeMember(sink, message.memberID, version);
    writeCredentials(sink, message.credentials);
    sink.i32(message.fdPort, 'JoinRequest.fdPort');
    sink.bool(message.isMulticast);
    sink.i32(message.requestId, 'JoinRequest.requestId');
  },
};

export const joinResponse: MessageCodec<JoinResponse> = {
  read: (reader, version) => ({
    type: 'JoinResponse',
    currentView: readNullableView(reader, version, 'JoinResponse.currentView'),
    memberID: readNullableMember(reader, version, 'JoinResponse.memberID'),
    rejection: readString(reader, 'JoinResponse.rejection'),
    messengerData: readByteArray(reader, 'JoinResponse.messengerData'),
    clusterSecretKey: readByteArray(reader, 'JoinResponse.clusterSecretKey'),
  }),
  write(sink, message, version) {
    writeNullableView(sink, message.currentView, version);
    writeNullableMember(sink, message.memberID, version);
    writeString(sink, message.rejection, 'JoinResponse.rejection');
    writeByteArray(sink, message.messengerData, 'JoinResponse.messengerData');
    writeByteArray(sink, message.clusterSecretKey, 'JoinResponse.clusterSecretKey');
  },
};

export const installView: MessageCodec<InstallView> = {
  read(reader, version) {
    const previousViewId = reader.i32('InstallView.previousViewId');
    const at = reader.offset;
    const number = reader.i32('InstallView.kind');
    const kind = INSTALL_VIEW_KINDS[number];
    if (kind === undefined) {
      throw new CodecError('ERR_VALUE', at, 'InstallView.kind', `kind ${number} is unknown`);
    }
    const view = readView(reader, version, 'InstallView.view');
    const credentials = readCredentials(reader, 0, 'InstallView.credentials');
    return { type: 'InstallView', previousViewId, kind, view, credentials };
  },
  write(sink, message, version) {
    sink.i32(message.previousViewId, 'InstallView.previousViewId');
    sink.i32(INSTALL_VIEW_KINDS.indexOf(message.kind), 'InstallView.kind');
    writeView(sink, message.view, version);
    writeCredentials(sink, message.credentials);
  },
};

export const viewAck: MessageCodec<ViewAck> = {
  read: (reader, version) => ({
    type: 'ViewAck',
    viewId: reader.i32('ViewAck.viewId'),
    preparing: reader.bool('ViewAck.preparing'),
    alternateView: readNullableView(reader, version, 'ViewAck.alternateView'),
  }),
  write(sink, message, version) {
    sink.i32(message.viewId, 'ViewAck.viewId');
    sink.bool(message.preparing);
    writeNullableView(sink, message.alternateView, version);
  },
};

function readReasoned<T extends 'LeaveRequest' | 'RemoveMember'>(
  reader: ByteReader,
  version: number,
  type: T,
): { type: T } & Pick<LeaveRequest, 'memberID' | 'reason'> {
  const memberID = readMember(reader, version, `${type}.memberID`);
  return { type, memberID, reason: readString(reader, `${type}.reason`) };
}

function writeReasoned(sink: ByteSink, message: LeaveRequest | RemoveMember, version: number): void {
  writeMember(sink, message.memberID, version);
  writeString(sink, message.reason, `${message.type}.reason`);
}

export const leaveRequest: MessageCodec<LeaveRequest> = {
  read: (reader, version) => readReasoned(reader, version, 'LeaveRequest'),
  write: writeReasoned,
};

export const removeMember: MessageCodec<RemoveMember> = {
  read: (reader, version) => readReasoned(reader, version, 'RemoveMember'),
  write: writeReasoned,
};
