/**
 * Who still lives (GEODE-WIRE section 4):
 *
 *     HeartbeatRequest   requestId int   target member
 *     Heartbeat          requestId int
 *     SuspectMembers     count int   (member, reason string)*
 *     NetworkPartition   nothing
 *     FinalCheckPassed   suspect member
 */

import { MAX_ADDRESSES } from '../../bytes/limits.ts';
import { readMember, writeMember } from '../member.ts';
import { readCount } from '../primitives.ts';
import { readString, writeString } from '../strings.ts';
import type { MessageCodec } from './message-codec.ts';
import type {
  FinalCheckPassed,
  Heartbeat,
  HeartbeatRequest,
  NetworkPartition,
  SuspectMembers,
} from './types.ts';

export const heartbeatRequest: MessageCodec<HeartbeatRequest> = {
  read: (reader, version) => ({
    type: 'HeartbeatRequest',
    requestId: reader.i32('HeartbeatRequest.requestId'),
    target: readMember(reader, version, 'HeartbeatRequest.target'),
  }),
  write(sink, message, version) {
    sink.i32(message.requestId, 'HeartbeatRequest.requestId');
    writeMember(sink, message.target, version);
  },
};

export const heartbeat: MessageCodec<Heartbeat> = {
  read: (reader) => ({ type: 'Heartbeat', requestId: reader.i32('Heartbeat.requestId') }),
  write(sink, message) {
    sink.i32(message.requestId, 'Heartbeat.requestId');
  },
};

export const suspectMembers: MessageCodec<SuspectMembers> = {
  read(reader, version) {
    const count = readCount(reader, MAX_ADDRESSES, 'SuspectMembers.count');
    const suspects: SuspectMembers['suspects'][number][] = [];
    for (let i = 0; i < count; i++) {
      const member = readMember(reader, version, 'SuspectMembers.member');
      suspects.push({ member, reason: readString(reader, 'SuspectMembers.reason') });
    }
    return { type: 'SuspectMembers', suspects };
  },
  write(sink, message, version) {
    sink.i32(message.suspects.length, 'SuspectMembers.count');
    for (const { member, reason } of message.suspects) {
      writeMember(sink, member, version);
      writeString(sink, reason, 'SuspectMembers.reason');
    }
  },
};

export const networkPartition: MessageCodec<NetworkPartition> = {
  read: () => ({ type: 'NetworkPartition' }),
  write: () => undefined,
};

export const finalCheckPassed: MessageCodec<FinalCheckPassed> = {
  read: (reader, version) => ({
    type: 'FinalCheckPassed',
    suspect: readMember(reader, version, 'FinalCheckPassed.suspect'),
  }),
  write(sink, message, version) {
    writeMember(sink, message.suspect, version);
  },
};
