/** Values of every kind that Geode sends, for vectors and mutations. */
import type { EssentialId, GeodeMemberId, NetView } from '../../../codecs/geode/index.ts';
import type { MembershipMessage } from '../../../codecs/geode/messages/types.ts';
import { hex } from './geode-builder.ts';

export const LOCATOR: GeodeMemberId = {
  ...{ dsfid: 92, host: '127.0.0.1', membershipPort: 41000, hostName: '127.0.0.1', flags: 11 },
  ...{ directChannelPort: -1, processId: 18217, vmKind: 11, groups: [], name: 'loc1', uniqueTag: null },
  ...{ vmViewId: 0, durableId: '', durableTimeout: 300, version: 150 },
  ...{ uuid: '6f066cd14e9c9abbfcb4860b520e361e', memberWeight: 0 },
};

/** The example of GEODE-WIRE section 2.3. */
export const M1: GeodeMemberId = {
  ...LOCATOR,
  ...{ membershipPort: 41100, flags: 9, processId: 0x4267, vmKind: 10, name: 'm1', vmViewId: -1 },
  uuid: '9ffd66ffb3b2a4b19ffe74e756ff03c2',
};

/** Everything that is unusual at once. */
export const ODD: GeodeMemberId = {
  ...{ dsfid: 2184, host: 'fe80::1:2', membershipPort: 65535, hostName: null, flags: 0x0f },
  ...{ directChannelPort: 41289, processId: -5, vmKind: 10, groups: ['a', '', 'größe', null], name: null },
  ...{ uniqueTag: null, vmViewId: 2147483647, durableId: null, durableTimeout: -1, version: 125 },
  ...{ uuid: 'ffffffffffffffff0000000000000001', memberWeight: 255 },
};

export const LONER: GeodeMemberId = { ...M1, vmKind: 13, uniqueTag: 'tag\u0000\u{1f600}', groups: null };

/** Before 1.0.0-incubating: no uuid. */
export const OLD: GeodeMemberId = { ...M1, version: 35, uuid: null };

export const SENDER: EssentialId = {
  ...{ version: 150, flags: 1, host: '127.0.0.1', membershipPort: 41100, vmViewId: -1 },
  ...{ uuid: '9ffd66ffb3b2a4b19ffe74e756ff03c2', vmKind: 10 },
};

export const VIEW: NetView = {
  ...{ creator: LOCATOR, viewId: 3, members: [LOCATOR, M1, ODD], shutdownMembers: [LONER] },
  ...{ crashedMembers: [OLD], fdPorts: [41001, 41104, 41002, ...Array.from({ length: 10 }, () => -1)] },
  publicKeys: [],
};

const LARGE_VIEW: NetView = {
  creator: null,
  viewId: 2147483647,
  members: Array.from({ length: 300 }, (_, i) => ({ ...M1, membershipPort: 1000 + i, vmViewId: i })),
  shutdownMembers: [],
  crashedMembers: [],
  fdPorts: Array.from({ length: 310 }, () => -1),
  publicKeys: [
    { member: LOCATOR, key: hex('00'.repeat(300)) },
    { member: M1, key: null },
  ],
};

const KEY = hex('308201a7'.padEnd(600, '5a'));

export const MESSAGES: readonly MembershipMessage[] = [
  {
    ...{ type: 'JoinRequest', memberID: M1, credentials: null, fdPort: 41104, isMulticast: false },
    requestId: -898261062,
  },
  {
    type: 'JoinRequest',
    memberID: ODD,
    credentials: {
      kind: 'properties',
      entries: [
        ['security-username', 'alice'],
        ['security-signature', hex('00ff7f')],
        [null, 'ключ'],
      ],
    },
    ...{ fdPort: -1, isMulticast: true, requestId: 2147483647 },
  },
  {
    // a Java-serialized object of the cluster's own
    ...{ type: 'JoinRequest', memberID: M1, credentials: { kind: 'opaque', bytes: hex('2c aced0005 73') } },
    ...{ fdPort: 41104, isMulticast: false, requestId: 0 },
  },
  {
    ...{ type: 'JoinResponse', currentView: null, memberID: null, rejection: 'no_entry_for_you' },
    ...{ messengerData: null, clusterSecretKey: null },
  },
  {
    ...{ type: 'JoinResponse', currentView: VIEW, memberID: M1, rejection: null },
    ...{ messengerData: hex('0000'), clusterSecretKey: KEY },
  },
  { type: 'InstallView', previousViewId: 0, kind: 'PREPARE', view: VIEW, credentials: null },
  {
    ...{ type: 'InstallView', previousViewId: -1, kind: 'SYNC', view: LARGE_VIEW },
    credentials: { kind: 'opaque', bytes: hex('0b 01 57 0001 61 2c aced') },
  },
  { type: 'ViewAck', viewId: 1, preparing: true, alternateView: null },
  { type: 'ViewAck', viewId: -1, preparing: false, alternateView: VIEW },
  { type: 'LeaveRequest', memberID: M1, reason: 'this member is shutting down' },
  { type: 'LeaveRequest', memberID: LONER, reason: null },
  { type: 'RemoveMember', memberID: ODD, reason: 'Ä\u0000\ud800' },
  { type: 'HeartbeatRequest', requestId: 7, target: M1 },
  { type: 'Heartbeat', requestId: -1 },
  { type: 'SuspectMembers', suspects: [] },
  {
    type: 'SuspectMembers',
    suspects: [
      { member: M1, reason: "Member isn't responding to heartbeat requests" },
      { member: OLD, reason: null },
    ],
  },
  { type: 'NetworkPartition' },
  { type: 'FinalCheckPassed', suspect: ODD },
  {
    ...{ type: 'FindCoordinatorRequest', memberID: M1, rejectedCoordinators: [], lastViewId: -100 },
    ...{ requestId: 1, dhAlgo: '', publicKey: null },
  },
  {
    ...{ type: 'FindCoordinatorRequest', memberID: M1, rejectedCoordinators: [LOCATOR, ODD], lastViewId: 9 },
    ...{ requestId: -1, dhAlgo: 'AES:128', publicKey: KEY },
  },
  {
    ...{ type: 'FindCoordinatorResponse', coordinator: LOCATOR, sender: LOCATOR, coordinatorPublicKey: null },
    ...{ rejection: null, shortForm: false, fromView: true, npdEnabled: true, preferLocators: true },
    ...{ view: VIEW, registrants: [M1] },
  },
  {
    ...{ type: 'FindCoordinatorResponse', coordinator: null, sender: null, coordinatorPublicKey: KEY },
    ...{ rejection: 'no', shortForm: true, fromView: false, npdEnabled: false, preferLocators: false },
    ...{ view: null, registrants: null },
  },
  { type: 'GetViewRequest' },
  { type: 'GetViewResponse', view: VIEW },
  { type: 'GetViewResponse', view: null },
];
