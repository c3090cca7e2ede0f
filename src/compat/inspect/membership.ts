/** Anomalies of the group: suspicions, members that went, joins that were refused. */
import type { Address } from '../../../codecs/jgroups/message.ts';
import type { MessageRecord } from '../record.ts';
import type { Finding } from './anomalies.ts';
import { fields, type Fields, header, isFields, list, number, text } from './fields.ts';
import type { Member, Members } from './members.ts';
import type { SeenView } from './views.ts';
import { listed, plain } from './words.ts';

/** What a message says of the health of the group. */
export function ofMessage(record: MessageRecord, sender: Member, members: Members): Finding | null {
  const base = { ts: record.ts, n: record.n } as const;
  const fd = header(record, 'FD', 'FD_SOCK');
  if (fd?.type === 'SUSPECT') {
    const one = fields(fd, 'mbr');
    const suspects = [...list(fd, 'mbrs').filter(isFields), ...(one === null ? [] : [one])];
    return suspicion(
      base,
      sender,
      suspects.map((suspect) => nameOf(suspect, members)),
    );
  }
  const payload = header(record, 'GMS')?.type === 'JOIN_RSP' ? record.payload : null;
  const refusal = payload?.kind === 'join-rsp' ? (payload.rsp?.failReason ?? null) : null;
  if (refusal !== null) return refused(base, sender, refusal);
  return ofGeode(record, sender, members);
}

function ofGeode(record: MessageRecord, sender: Member, members: Members): Finding | null {
  const base = { ts: record.ts, n: record.n } as const;
  const said = fields(record.geode ?? null, 'fields');
  switch (text(record.geode ?? null, 'class')) {
    case 'SuspectMembers': {
      const suspects = list(said, 'suspects').filter(isFields);
      return suspicion(
        base,
        sender,
        suspects.map((suspect) => nameOf(fields(suspect, 'member'), members)),
      );
    }
    case 'RemoveMember': {
      const name = nameOf(fields(said, 'memberID'), members);
      const reason = text(said, 'reason');
      return {
        ...base,
        severity: 'warning',
        kind: 'member-gone',
        text: `${sender.label} asked for ${name} to be removed${reason === null ? '' : `: ${plain(reason, MAX_REASON_CHARS)}`}.`,
        meaning: `${name} did not answer its health checks; it is forced to disconnect if it still lives.`,
      };
    }
    case 'NetworkPartition':
      return {
        ...base,
        severity: 'error',
        kind: 'partition',
        text: `${sender.label} declared a network partition.`,
        meaning: 'The group lost its quorum at once: every member on this side disconnects.',
      };
    case 'JoinResponse': {
      const rejection = text(said, 'rejection');
      return rejection === null ? null : refused(base, sender, rejection);
    }
    default:
      return null;
  }
}

/** Members that a view dropped. */
export function ofView(
  view: SeenView & { readonly label: (entry: SeenView['joined'][number]) => string },
  ts: number,
  n: number,
): Finding | null {
  const crashed = view.crashed.map(view.label);
  const left = view.left.map(view.label).filter((label) => !crashed.includes(label));
  if (crashed.length > 0) {
    return {
      ...{ ts, n },
      severity: 'warning',
      kind: 'member-gone',
      text: `View ${view.id} drops ${listed(crashed)} as crashed.`,
      meaning: 'Messages on their way to it are lost with it. Find out why it died or hung.',
    };
  }
  if (left.length === 0) return null;
  return {
    ...{ ts, n },
    severity: 'note',
    kind: 'member-gone',
    text: `${listed(left)} ${left.length === 1 ? 'is' : 'are'} no longer in view ${view.id}.`,
    meaning: 'It left, or it was dropped after a suspicion.',
  };
}

export function ofRestart(before: Member, now: Member, ts: number, n: number): Finding {
  return {
    ...{ ts, n },
    severity: 'note',
    kind: 'restarted',
    text: `${before.label} is used by another member from here on, called ${now.label} below.`,
    meaning: 'A process was restarted on the same port: to the group it is a new member.',
  };
}

const MAX_REASON_CHARS = 200;

type Base = Pick<Finding, 'ts' | 'n'>;

function suspicion(base: Base, sender: Member, names: readonly string[]): Finding {
  return {
    ...base,
    severity: 'warning',
    kind: 'suspicion',
    text: `${sender.label} suspects ${names.length === 0 ? 'a member' : listed(names)}.`,
    meaning: 'It missed heartbeats: dead, hung in a long pause, or cut off.',
  };
}

function refused(base: Base, sender: Member, reason: string): Finding {
  return {
    ...base,
    severity: 'error',
    kind: 'join-refused',
    text: `${sender.label} refused a join: ${plain(reason, MAX_REASON_CHARS)}`,
    meaning: 'The process that wanted to join gave up, or tries again.',
  };
}

/** A member id or address that was described as plain data. */
function nameOf(value: Fields | Address | null, members: Members): string {
  if (value === null) return 'a member';
  const said: Fields = { ...value };
  const uuid = text(said, 'uuid');
  const known = uuid === null ? undefined : members.byId(uuid);
  if (known !== undefined) return known.label;
  const [host, port] = [text(said, 'host'), number(said, 'port') ?? number(said, 'membershipPort')];
  if (host !== null && host !== '' && port !== null) return plain(`${host}:${port}`);
  return uuid === null ? 'a member' : `uuid ${uuid.slice(0, 8)}…`;
}
