import type { GeodeAddress } from '../../codecs/jgroups/message.ts';
import type { Rng } from '../protocol/rng.ts';
import type { JGroupsConfig } from './config.ts';
import type { JGroupsCounters } from './counters.ts';
import type { PeerTable } from './peer-counters.ts';

/** What every protocol of one stack is made with. */
export interface ProtocolContext {
  readonly config: JGroupsConfig;
  readonly counters: JGroupsCounters;
  readonly peers: PeerTable;
  readonly self: GeodeAddress;
  /** `addressKey(self)`. */
  readonly selfKey: string;
  readonly rng: Rng;
  /** A peer, by its key, broke a rule. */
  readonly complain: (peer: string, what: string) => void;
  /** As `complain`, of what is not as the wire or its protocol has it; also counted. */
  readonly malformed: (peer: string, what: string) => void;
  /** The peer has so many whole application messages of so many payload bytes in all. */
  readonly acknowledged: (peer: string, messages: number, bytes: number) => void;
  /** So many whole group messages of ours are with all members, whoever of them is still there. */
  readonly groupStable: (messages: number) => void;
  /** When the stack was made. */
  readonly startMs: number;
}
