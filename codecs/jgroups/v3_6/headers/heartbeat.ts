/** The headers of FD_ALL and FD_ALL2 have no body (WIRE-3.6 section 12). */

import type { HeartbeatHeader } from '../../message.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

function heartbeat(protocol: HeartbeatHeader['protocol']): HeaderCodec<HeartbeatHeader> {
  return {
    protocolId: ProtocolId[protocol],
    magic: Magic[protocol],
    decode: () => ({ protocol, type: 'HEARTBEAT' }),
    size: () => 0,
    encode: () => undefined,
  };
}

export const fdAll = heartbeat('FD_ALL');
export const fdAll2 = heartbeat('FD_ALL2');
