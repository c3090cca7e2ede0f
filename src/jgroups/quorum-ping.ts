import { Flag } from '../../codecs/jgroups/message.ts';

/** As Geode's GMSPingPonger sends both (WIRE-3.6 section 13). */
export const PING_FLAGS = Flag.NO_RELIABILITY | Flag.NO_FC | Flag.DONT_BUNDLE | Flag.OOB;

export const PING = Buffer.from('ping');
export const PONG = Buffer.from('pong');

/**
 * What Geode's quorum check sends, to a member or to the group, and what it gets back. Geode looks at the payload
 * alone, for its own messages never are of four bytes; those of other applications may be, so we look at the flags.
 */
export function quorumPing(payload: Uint8Array, flags: number): 'ping' | 'pong' | null {
  if (payload.length !== 4 || (flags & PING_FLAGS) !== PING_FLAGS) return null;
  if (PING.equals(payload)) return 'ping';
  return PONG.equals(payload) ? 'pong' : null;
}
