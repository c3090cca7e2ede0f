/** Turns what our codec read into the form of decoded.jsonl and truth.jsonl, whose names are others. */
import type {
  Credentials,
  EssentialId,
  GeodeMemberId,
  GeodePayload,
  LocatorObject,
  NetView,
  StreamMessage,
} from '../../../codecs/geode/index.ts';

type Plain = Record<string, unknown>;

/** A line of decoded.jsonl. */
export interface Line {
  readonly proto: 'udp' | 'tcp';
  readonly sp: number;
  readonly dp: number;
  readonly payload?: Plain | string;
  readonly gossip?: number;
  readonly ordinal?: number;
  readonly request?: Plain | null;
  readonly response?: Plain | null;
  readonly fd?: { version: number; viewId: number; uuidLsb: string; uuidMsb: string };
  readonly reply?: string;
}

export interface TruthMember {
  readonly host: string;
  readonly hostName: string;
  readonly port: number;
  readonly directPort: number;
  readonly pid: number;
  readonly viewId: number;
  readonly kind: number;
  readonly uuidMsb: string;
  readonly uuidLsb: string;
  readonly versionOrdinal: number;
  readonly name: string;
  readonly weight: number;
  readonly preferredForCoordinator: boolean;
  readonly netPartition: boolean;
  readonly durableId: string;
}

/** A line of truth.jsonl. */
export interface TruthLine {
  readonly event?: string;
  readonly member?: TruthMember;
  readonly viewId?: number;
  readonly creator?: TruthMember;
  readonly members?: readonly TruthMember[];
  readonly crashed?: readonly TruthMember[];
}

/** Longer ones are cut there. */
function hex(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const digits = Buffer.from(bytes).toString('hex');
  return digits.length > 80 ? `${digits.slice(0, 32)}..(${bytes.length})` : digits;
}

function credentials(value: Credentials | null): Plain | null {
  return value?.kind === 'properties' ? { properties: Object.fromEntries(value.entries) } : null;
}

function member(id: GeodeMemberId | null): Plain | null {
  if (id === null) return null;
  return {
    ...{ addr: id.host, port: id.membershipPort, hostName: id.hostName, flags: id.flags },
    ...{ directPort: id.directChannelPort, pid: id.processId, kind: id.vmKind, groups: id.groups },
    ...{ name: id.name, uniqueTagOrViewId: String(id.vmViewId), durableId: id.durableId },
    ...{ durableTimeout: id.durableTimeout, version: id.version },
    ...{ uuidMsb: id.uuid?.slice(0, 16), uuidLsb: id.uuid?.slice(16), weight: id.memberWeight },
  };
}

function view(value: NetView | null): Plain | null {
  if (value === null) return null;
  return {
    ...{ dsfid: -148, type: 'NetView', creator: member(value.creator), viewId: value.viewId },
    members: value.members.map(member),
    shutdown: value.shutdownMembers.map(member),
    crashed: value.crashedMembers.map(member),
    fdPorts: value.fdPorts,
    publicKeys: value.publicKeys,
  };
}

function sender(id: EssentialId): Plain {
  return {
    ...{ version: id.version, flags: id.flags, addr: id.host, port: id.membershipPort },
    ...{ viewId: id.vmViewId, uuidMsb: id.uuid.slice(0, 16), uuidLsb: id.uuid.slice(16), kind: id.vmKind },
  };
}

function object(value: LocatorObject): Plain {
  switch (value.type) {
    case 'JoinRequest': {
      const { type, fdPort, isMulticast: mcast, requestId } = value;
      const rest = { credentials: credentials(value.credentials), fdPort, mcast, requestId };
      return { dsfid: -142, type, memberID: member(value.memberID), ...rest };
    }
    case 'JoinResponse': {
      const { type, rejection } = value;
      const keys = { messengerData: hex(value.messengerData), secretPk: hex(value.clusterSecretKey) };
      const ids = { currentView: view(value.currentView), memberID: member(value.memberID) };
      return { dsfid: -143, type, ...ids, rejection, ...keys };
    }
    case 'InstallView': {
      const { type, previousViewId, kind } = value;
      const rest = { view: view(value.view), credentials: credentials(value.credentials) };
      return { dsfid: -150, type, previousViewId, kind, ...rest };
    }
    case 'ViewAck':
      return { dsfid: -151, ...value, alternateView: view(value.alternateView) };
    case 'LeaveRequest':
      return { dsfid: -152, ...value, memberID: member(value.memberID) };
    case 'RemoveMember':
      return { dsfid: -153, ...value, memberID: member(value.memberID) };
    case 'HeartbeatRequest':
      return { dsfid: -154, ...value, target: member(value.target) };
    case 'Heartbeat':
      return { dsfid: -155, ...value };
    case 'SuspectMembers': {
      const suspects = value.suspects.map((suspect) => [member(suspect.member), suspect.reason]);
      return { dsfid: -156, type: value.type, suspects };
    }
    case 'NetworkPartition':
      return { dsfid: -157, ...value };
    case 'FinalCheckPassed':
      return { dsfid: -158, ...value, suspect: member(value.suspect) };
    case 'FindCoordinatorRequest': {
      const { type, lastViewId, requestId, dhAlgo: dhalgo, publicKey } = value;
      const ids = { memberID: member(value.memberID), rejected: value.rejectedCoordinators.map(member) };
      return { dsfid: -145, type, ...ids, lastViewId, requestId, dhalgo, publicKey: hex(publicKey) };
    }
    case 'FindCoordinatorResponse': {
      const { type, rejection, shortForm, fromView, npdEnabled: npd, preferLocators } = value;
      const ids = { coordinator: member(value.coordinator), senderId: member(value.sender) };
      const flags = { rejection, shortForm, fromView, npd, preferLocators };
      const rest = { view: view(value.view), registrants: value.registrants?.map(member) ?? null };
      return { dsfid: -144, type, ...ids, coordPK: hex(value.coordinatorPublicKey), ...flags, ...rest };
    }
    case 'GetViewRequest':
      return { dsfid: -147, ...value };
    case 'GetViewResponse':
      return { dsfid: -146, type: value.type, view: view(value.view) };
    case 'opaque':
      return { dsfid: value.dsfid };
    case 'VersionResponse':
      return { dataSerializable: serverClass(value.type), ordinal: value.ordinal };
    case 'VersionRequest':
    case 'InfoRequest':
    case 'InfoResponse':
    case 'ShutdownRequest':
    case 'ShutdownResponse':
      return { dataSerializable: serverClass(value.type) };
  }
}

const serverClass = (type: string): string => `com.gemstone.org.jgroups.stack.tcpserver.${type}`;

/** The second opinion knows the fields of messages that are the application's own, which stay opaque here. */
function withoutApplication(message: Plain): Plain {
  return Number(message['dsfid']) > 0 ? { dsfid: message['dsfid'] } : message;
}

function truthMember(logged: TruthMember): Plain {
  const { host, hostName, port, directPort, pid, viewId, kind, name, weight, durableId } = logged;
  return {
    ...{ host, hostName, port, directPort, pid, viewId, kind, name, weight, durableId },
    ...{ uuid: logged.uuidMsb + logged.uuidLsb, version: logged.versionOrdinal },
    ...{ preferred: logged.preferredForCoordinator, npd: logged.netPartition },
  };
}

function asTruth(id: GeodeMemberId): Plain {
  return {
    ...{ host: id.host, hostName: id.hostName, port: id.membershipPort, directPort: id.directChannelPort },
    ...{ pid: id.processId, viewId: id.vmViewId, kind: id.vmKind, name: id.name, weight: id.memberWeight },
    ...{ durableId: id.durableId, uuid: id.uuid, version: id.version },
    ...{ preferred: (id.flags & 2) !== 0, npd: (id.flags & 1) !== 0 },
  };
}

export const secondOpinion = {
  payload(value: GeodePayload): unknown {
    if (value.kind === 'probe') return value.probe;
    if (value.kind === 'encrypted') return null;
    return { senderOrdinal: value.ordinal, sender: sender(value.sender), msg: object(value.object) };
  },
  comparable(expected: Plain | undefined): unknown {
    if (expected === undefined) return null;
    return { ...expected, msg: withoutApplication(expected['msg'] as Plain) };
  },
  connection(asked: StreamMessage | null, answered: StreamMessage | null): Plain {
    if (asked?.type === 'locator-request') {
      const response = answered?.type === 'locator-response' ? object(answered.object) : null;
      const { gossipVersion: gossip, ordinal } = asked;
      return { gossip, ordinal, request: object(asked.object), response };
    }
    if (asked?.type === 'failure-detection-request') {
      const { ordinal: version, vmViewId: viewId, uuid } = asked;
      const fd = { version, viewId, uuidLsb: uuid.slice(16), uuidMsb: uuid.slice(0, 16) };
      return {
        fd,
        reply: answered?.type === 'failure-detection-response' ? (answered.ok ? '7b' : '00') : '',
      };
    }
    return {};
  },
  comparableConnection(line: Line): Plain {
    const { gossip, ordinal, request, response, fd, reply } = line;
    if (gossip !== undefined) return { gossip, ordinal, request, response };
    return fd === undefined ? {} : { fd, reply };
  },
  truthMember,
};

interface Sightings {
  /** Each different id that was seen, by uuid. */
  readonly members: Map<string, Plain[]>;
  /** By view id and creator's uuid. */
  readonly views: Map<string, { members: Plain[]; crashed: Plain[] }>;
}

/** All member ids and views anywhere in these values. */
export function sightings(values: readonly unknown[]): Sightings {
  const found: Sightings = { members: new Map(), views: new Map() };
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return;
    if ('durableTimeout' in value) {
      const id = asTruth(value as GeodeMemberId);
      const known = found.members.get(id['uuid'] as string) ?? [];
      if (!known.some((other) => JSON.stringify(other) === JSON.stringify(id))) known.push(id);
      found.members.set(id['uuid'] as string, known);
    } else if ('crashedMembers' in value) {
      const { viewId, creator, members, crashedMembers } = value as NetView;
      const lists = { members: members.map(asTruth), crashed: crashedMembers.map(asTruth) };
      found.views.set(`${viewId} ${creator?.uuid ?? ''}`, lists);
    }
    for (const field of Object.values(value)) visit(field);
  };
  for (const value of values) visit(value);
  return found;
}
