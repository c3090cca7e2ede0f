import { LocalProtocolError } from './errors.ts';
import type { MemberId } from './member-id.ts';

/** Who is in the cluster, in order of age. */
export interface View {
  readonly id: number;
  readonly members: readonly MemberId[];
  /** Who made it: the first member unless told otherwise. On the legacy wire it is part of the view's id. */
  readonly creator: MemberId | null;
  /** Null if no member has this uuid. */
  find(uuid: string): MemberId | null;
}

/**
 * @param id whole number; each view's is larger than that of the one before
 * @throws {LocalProtocolError} `ERR_VIEW` if a uuid stands twice, or the id is no whole number
 */
export function createView(
  id: number,
  members: readonly MemberId[],
  creator: MemberId | null = members[0] ?? null,
): View {
  if (!Number.isSafeInteger(id) || id < 0)
    throw new LocalProtocolError('ERR_VIEW', `view id ${id} is no whole number`);
  const byUuid = new Map(members.map((member) => [member.uuid, member]));
  if (byUuid.size !== members.length)
    throw new LocalProtocolError('ERR_VIEW', `view ${id} names a member twice`);
  return { id, members: [...members], creator, find: (uuid) => byUuid.get(uuid) ?? null };
}
