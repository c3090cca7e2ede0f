import { LocalProtocolError } from './errors.ts';
import type { MemberId } from './member-id.ts';

/** Who is in the cluster, in order of age. */
export interface View {
  readonly id: number;
  readonly members: readonly MemberId[];
  /** Null if no member has this uuid. */
  find(uuid: string): MemberId | null;
}

/**
 * @param id whole number; each view's is larger than that of the one before
 * @throws {LocalProtocolError} `ERR_VIEW` if a uuid stands twice, or the id is no whole number
 */
export function createView(id: number, members: readonly MemberId[]): View {
  if (!Number.isSafeInteger(id) || id < 0)
    throw new LocalProtocolError('ERR_VIEW', `view id ${id} is no whole number`);
  const byUuid = new Map(members.map((member) => [member.uuid, member]));
  if (byUuid.size !== members.length)
    throw new LocalProtocolError('ERR_VIEW', `view ${id} names a member twice`);
  return { id, members: [...members], find: (uuid) => byUuid.get(uuid) ?? null };
}
