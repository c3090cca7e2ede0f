import {
  type Address,
  type Digest,
  Flag,
  type Header,
  type StableHeader,
} from '../../../codecs/jgroups/message.ts';
import { encodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { GEODE_MULTICAST_STACK, type JGroupsConfig } from '../../../src/jgroups/config.ts';
import { type Member, type Puppet, World } from './world.ts';

interface HasAddress {
  readonly address: Address;
}

/** Geode's stack with multicast, and no gossip unless a test makes some. */
export const QUIET: JGroupsConfig = { ...GEODE_MULTICAST_STACK, desiredAvgGossipMs: 1e9 };

/** One real member and a puppet that is its coordinator, with view 1. */
export function pair(config: Partial<JGroupsConfig> = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member({ ...QUIET, ...config });
  const p = world.puppet();
  a.install(1, [p, a]);
  return { world, a, p };
}

export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);

/** Member, highest delivered, highest received. */
export function digestOf(...entries: readonly (readonly [HasAddress, number, number])[]): Digest {
  return {
    members: entries.map(([{ address }]) => address),
    seqnos: entries.map(([, highestDelivered, highestReceived]) => ({ highestDelivered, highestReceived })),
  };
}

/** A member asks another one for the messages of a third. */
export function request(from: Puppet, to: Member, sender: HasAddress, ...seqnos: number[]): void {
  const header: Header = { protocol: 'NAKACK2', type: 'XMIT_REQ', sender: sender.address };
  from.say(to, [header], encodeSeqnoList(seqnos, (seqnos.at(-1) ?? 0) + 1), Flag.OOB | Flag.INTERNAL);
}

export function highestSeqno(from: Puppet, to: Member, seqno: number): void {
  from.cry(to, [{ protocol: 'NAKACK2', type: 'HIGHEST_SEQNO', seqno }], null, Flag.OOB | Flag.INTERNAL);
}

/** View 1 of the puppet, unless told otherwise. */
export function gossip(
  type: StableHeader['type'],
  from: Puppet,
  to: Member,
  digest: Digest | Buffer | null,
  viewId: StableHeader['viewId'] = { creator: from.address, id: 1 },
): void {
  const payload =
    digest === null || Buffer.isBuffer(digest) ? digest : encodePayload({ kind: 'digest', digest });
  const flags = Flag.OOB | Flag.INTERNAL | Flag.NO_RELIABILITY;
  const header: Header = { protocol: 'STABLE', type, viewId };
  if (type === 'STABILITY') from.cry(to, [header], payload, flags);
  else from.say(to, [header], payload, flags);
}
