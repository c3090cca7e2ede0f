/**
 * The arguments of a process of our own stack are key=value: host, port (0: any), uuid, group (none, unicasts, or an
 * address:port for IP multicast), maxCredits, rsvp (a time in ms: with RSVP, that waits so long), seed, loss,
 * duplicate, reorder (probabilities), record (a capture file).
 */

import { createNodeEnvironment } from '../../src/io/node-environment.ts';
import { GEODE_MULTICAST_STACK, type JGroupsConfig } from '../../src/jgroups/config.ts';
import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';

type Arguments = ReadonlyMap<string, string>;

/** @param words the arguments of the process */
export function createMessenger(words: readonly string[]): JGroupsMessenger {
  const args = parseArguments(words);
  const number = (name: string): number => Number(args.get(name) ?? '0');
  const seed = number('seed');
  const record = args.get('record');
  const faults = { loss: number('loss'), duplicate: number('duplicate'), reorder: number('reorder'), seed };
  const isFaulty = faults.loss + faults.duplicate + faults.reorder > 0;
  const uuid = args.get('uuid');
  return new JGroupsMessenger({
    environment: createNodeEnvironment({
      seed,
      ...(isFaulty ? { faults } : {}),
      ...(record === undefined ? {} : { recorder: { file: record, whenFull: 'rotate' } }),
    }),
    cluster: 'AG',
    member: { name: 'own', version: 200, ...(uuid === undefined ? {} : { uuid }) },
    host: args.get('host') ?? '127.0.0.1',
    ports: [number('port'), number('port')],
    jgroups: stackConfig(args),
  });
}

function stackConfig(args: Arguments): Partial<JGroupsConfig> {
  const group = args.get('group') ?? 'none';
  const [address = '', port = ''] = group.split(':');
  const multicast = group === 'none' ? null : group === 'unicasts' ? group : { address, port: Number(port) };
  const maxCredits = args.get('maxCredits');
  const rsvp = args.get('rsvp');
  return {
    multicast,
    ...(maxCredits === undefined ? {} : { maxCredits: Number(maxCredits) }),
    ...(rsvp === undefined
      ? {}
      : { protocols: [...GEODE_MULTICAST_STACK.protocols, 'RSVP'], rsvpTimeoutMs: Number(rsvp) }),
  };
}

function parseArguments(words: readonly string[]): Arguments {
  return new Map(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}
