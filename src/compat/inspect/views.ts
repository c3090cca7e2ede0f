/** The views that went over the wire: GMS's and Geode's, each listed once, with what it changed. */
import type { Address, DeltaView, MergeView, View } from '../../../codecs/jgroups/message.ts';
import type { MessageRecord } from '../record.ts';
import { since } from './anomalies.ts';
import { fields, header, isFields, list, number, text, type Fields } from './fields.ts';
import { MAX_VIEW_MEMBERS, MAX_VIEWS } from './limits.ts';
import type { Members } from './members.ts';
import type { ViewReport } from './report.ts';
import { plain } from './words.ts';

/** A member as a view names it. */
interface Entry {
  readonly uuid: string | null;
  readonly host: string | null;
  readonly port: number | null;
}

export interface SeenView {
  readonly source: string;
  readonly id: number;
  readonly creator: Entry | null;
  /** Null for a change to a view that was not seen. */
  readonly members: readonly Entry[] | null;
  readonly joined: readonly Entry[];
  readonly left: readonly Entry[];
  readonly crashed: readonly Entry[];
}

export class Views {
  readonly #members: Members;
  readonly #seen = new Set<string>();
  readonly #reports: (Omit<ViewReport, 'at'> & { readonly ts: number })[] = [];
  /** By family and identity; the last ones suffice, for a change refers to a recent view. */
  readonly #known = new Map<string, readonly Entry[]>();
  #last: readonly Entry[] | null = null;
  leftOut = 0;

  constructor(members: Members) {
    this.#members = members;
  }

  /** The view that a message carries, if it is seen the first time. */
  add(record: MessageRecord): (SeenView & { readonly label: (entry: Entry) => string }) | null {
    const view = geodeView(record) ?? this.#gmsView(record);
    if (view === null) return null;
    const family = view.source.startsWith('Geode') ? 'Geode' : 'GMS';
    const key = `${family} ${view.id} ${view.creator === null ? '' : keyOf(view.creator)}`;
    if (this.#seen.has(key)) return null;
    if (this.#reports.length >= MAX_VIEWS) {
      this.leftOut++;
      return null;
    }
    this.#seen.add(key);
    const full = { ...view, ...this.#changes(view) };
    if (full.members !== null) {
      this.#known.set(key, full.members);
      this.#last = full.members;
    }
    const label = (entry: Entry): string => this.#label(entry);
    const labels = (entries: readonly Entry[]): string[] => entries.slice(0, MAX_VIEW_MEMBERS).map(label);
    this.#reports.push({
      ts: record.ts,
      n: record.n,
      source: view.source,
      id: view.id,
      creator: view.creator === null ? '?' : label(view.creator),
      members: labels(full.members ?? []),
      size: full.members?.length ?? 0,
      joined: labels(full.joined),
      left: labels(full.left),
    });
    return { ...full, label };
  }

  report(start: number): ViewReport[] {
    return this.#reports.map(({ ts, ...view }) => ({ at: since(ts, start), ...view }));
  }

  #changes(view: SeenView): Pick<SeenView, 'joined' | 'left'> {
    const before = this.#last;
    const { members, joined, left } = view;
    if (members === null || before === null || joined.length + left.length > 0) return { joined, left };
    const [was, is] = [new Set(before.map(keyOf)), new Set(members.map(keyOf))];
    return {
      joined: members.filter((entry) => !was.has(keyOf(entry))),
      left: before.filter((entry) => !is.has(keyOf(entry))),
    };
  }

  #gmsView(record: MessageRecord): SeenView | null {
    const gms = header(record, 'GMS');
    if (gms === null) return null;
    const source = `GMS ${gms.type ?? ''}`;
    const { payload } = record;
    const view =
      payload?.kind === 'view-and-digest'
        ? payload.view
        : payload?.kind === 'join-rsp'
          ? payload.rsp?.view
          : null;
    if (view !== null && view !== undefined) return this.#ofView(source, view);
    // 2.12 has the view in the header
    const inHeader = fields(gms, 'view') ?? fields(fields(gms, 'joinRsp'), 'view');
    const viewId = fields(inHeader, 'viewId');
    const id = number(viewId, 'id');
    if (id === null) return null;
    const members = list(inHeader, 'members').filter(isFields).map(entryOfFields);
    return { source, id, creator: entryOfFields(fields(viewId, 'creator')), members, ...NO_CHANGES };
  }

  #ofView(source: string, view: View | MergeView | DeltaView): SeenView {
    const { id, creator } = view.viewId;
    const common = { source, id, creator: entryOf(creator) };
    if (view.kind !== 'delta') return { ...common, members: view.members.map(entryOf), ...NO_CHANGES };
    const [joined, left] = [view.joined.map(entryOf), view.left.map(entryOf)];
    const before = this.#known.get(`GMS ${view.refViewId.id} ${keyOf(entryOf(view.refViewId.creator))}`);
    const gone = new Set(left.map(keyOf));
    const members = before === undefined ? null : [...before.filter((e) => !gone.has(keyOf(e))), ...joined];
    return { ...common, members, joined, left, crashed: [] };
  }

  #label({ uuid, host, port }: Entry): string {
    const known = uuid === null ? undefined : this.#members.byId(uuid);
    if (known !== undefined) return known.label;
    if (host !== null && host !== '' && port !== null)
      return plain(`${host.includes(':') ? `[${host}]` : host}:${port}`);
    return uuid === null ? '?' : `uuid ${uuid.slice(0, 8)}…`;
  }
}

const NO_CHANGES = { joined: [], left: [], crashed: [] };

function keyOf({ uuid, host, port }: Entry): string {
  return uuid ?? `${host ?? ''}:${port ?? ''}`;
}

function entryOf(address: Address): Entry {
  switch (address.kind) {
    case 'uuid':
      return { uuid: address.uuid, host: null, port: null };
    case 'ip':
      return { uuid: null, host: address.host, port: address.port };
    case 'geode':
      return { uuid: address.uuid, host: address.host, port: address.port };
  }
}

/** An address or a member id that was described as plain data. */
function entryOfFields(value: Fields | null): Entry {
  return {
    uuid: text(value, 'uuid'),
    host: text(value, 'host'),
    port: number(value, 'port') ?? number(value, 'membershipPort'),
  };
}

/** The members of a view that a Geode message carries, described as plain data. */
export function geodeViewFields(record: MessageRecord): Fields | null {
  const said = fields(record.geode ?? null, 'fields');
  return fields(said, 'view') ?? fields(said, 'currentView');
}

function geodeView(record: MessageRecord): SeenView | null {
  const view = geodeViewFields(record);
  const id = number(view, 'viewId');
  if (view === null || id === null) return null;
  const entries = (name: string): Entry[] => list(view, name).filter(isFields).map(entryOfFields);
  const creator = fields(view, 'creator');
  return {
    source: `Geode ${text(record.geode ?? null, 'class') ?? ''}`.trim(),
    id,
    creator: creator === null ? null : entryOfFields(creator),
    members: entries('members'),
    joined: [],
    left: [],
    crashed: entries('crashedMembers'),
  };
}
