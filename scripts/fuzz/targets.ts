import { join } from 'node:path';

import { CodecError } from '../../codecs/bytes/errors.ts';
import { decodeDatagram, encodeDatagram } from '../../codecs/jgroups/registry.ts';
import { GEODE_MULTICAST_STACK } from '../../src/jgroups/config.ts';
import { JGroupsStack } from '../../src/jgroups/stack.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { captureTargets } from './capture-targets.ts';
import { captureDatagrams } from './corpus.ts';
import { doorTargets } from './door-targets.ts';
import { tlsDoorTarget } from './tls-door-target.ts';

/** Something that takes bytes from strangers. `run` throws, or rejects, only if it fell for them. */
export interface Target {
  readonly name: string;
  readonly corpus: readonly Uint8Array[];
  run(bytes: Uint8Array): unknown;
}

const FIXTURES = join(import.meta.dirname, '../../compat-fixtures');

/** What decodes must encode again; what does not must say so by a CodecError. */
function datagramCodec(corpus: readonly Uint8Array[]): Target {
  return {
    name: 'JGroups datagram codec',
    corpus,
    run(bytes) {
      try {
        encodeDatagram(decodeDatagram(bytes));
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    },
  };
}

/** The whole stack of a member that really is one of the capture's: it must take anything and go on. */
function legacyStack(corpus: readonly Uint8Array[]): Target {
  let nowMs = 0;
  const self = { kind: 'geode', host: '127.0.0.1', scopeId: 0, port: 41_601, viewId: 1 } as const;
  const uuid = '11010101010101012202020202020202';
  const peer = { ...self, port: 41_600, uuid: '10000000000000002000000000000000' };
  const ignore = (): void => undefined;
  const events = {
    transmit: ignore,
    transmitToGroup: ignore,
    deliver: ignore,
    acknowledged: ignore,
    complain: ignore,
  };
  const stack = new JGroupsStack(GEODE_MULTICAST_STACK, { ...self, uuid }, events, seededRng(1), nowMs);
  stack.installView({ members: [peer, { ...self, uuid }] }, nowMs);
  return {
    name: 'legacy stack',
    corpus,
    run(bytes) {
      stack.handleDatagram(bytes, '127.0.0.1', 41_600, nowMs);
      nowMs += 7;
      if (stack.nextDeadlineMs() <= nowMs) stack.handleTimeout(nowMs);
    },
  };
}

export async function targets(): Promise<Target[]> {
  const datagrams = captureDatagrams(FIXTURES);
  return [
    datagramCodec(datagrams),
    legacyStack(datagrams),
    ...captureTargets(FIXTURES, datagrams),
    ...doorTargets(),
    await tlsDoorTarget(),
  ];
}
