/** The options of `createMessenger`, and what becomes of those that no type checker has seen. */
import type { FaultOptions } from './io/faulty-datagram-socket.ts';
import type { NodeEnvironmentOptions } from './io/node-environment.ts';
import { GEODE_STACK, type MulticastGroup } from './jgroups/config.ts';
import { checkOptionNames, type KnownNames } from './protocol/check-options.ts';
import { LocalProtocolError } from './protocol/errors.ts';
import type { OwnIdentity } from './protocol/messenger-options.ts';
import type { LimitOptions } from './protocol/send-limits.ts';
import { DEFAULT_DOOR_LIMITS } from './tcp/door.ts';
import { DEFAULT_TIMINGS } from './tcp/limits.ts';
import type { DelegatingMessengerOptions } from './upgrade/delegating-messenger.ts';
import { DEFAULT_ROUTING_POLICY } from './upgrade/routing.ts';

export interface CreateMessengerOptions
  extends
    Omit<DelegatingMessengerOptions, 'environment' | 'ports' | 'pendingTotal'>,
    Omit<NodeEnvironmentOptions, 'recorder'> {
  /** First and last membership port to try; 0,0 takes any free one. Default 41000 to 61000. */
  readonly ports?: readonly [number, number];
  /** Writes all that this member sends and receives, by UDP and by TCP, to a capture file. Default: nothing. */
  readonly record?: RecordOptions;
}

/**
 * A messenger's own traffic as a pcapng file (raw IP), from `start()` to `stop()`: every datagram, every byte of TCP,
 * both directions, with the time of day, for `rollgate decode`, Wireshark and others. The packets around the bytes are
 * made up, with TCP's handshakes and acknowledgements. It is recorded what the network was given: injected faults come
 * before. UDP that the kernel refuses, and TCP that a broken connection never got out, may be in it all the same.
 *
 * Recording never harms the messenger. If the file cannot be written, the disk is full or too slow, it is said once by
 * a warning, and recording stops or goes on with packets missing; their number stands at the end of the file.
 */
export interface RecordOptions {
  /** An existing file is overwritten. Readable by its owner only. One file for each messenger. */
  readonly file: string;
  /** The file grows no larger; 131072 (128 KiB) at least. Default 1 GiB. */
  readonly maxBytes?: number;
  /**
   * `stop` (the default): then nothing more is recorded. `rotate`: the file becomes `<file>.1`, in place of an earlier
   * one, and a new one begins.
   */
  readonly whenFull?: 'stop' | 'rotate';
  /**
   * `payloads`: what the application sends is overwritten by as many zeros, on both stacks. With it go all that is
   * inside of messages, Geode's credentials and public keys among them. What stays: addresses, ports, member ids and
   * names, the cluster's name, seqnos, flags, lengths, times, the seqnos and credits that UNICAST3 and flow control
   * ask for, and all frames of the TCP wire other than messages. A datagram with JGroups' AUTH header keeps
   * only its version; one that cannot be decoded its first 64 bytes; a TCP stream that is not ours loses all from
   * the first byte that does not fit. Default: nothing is redacted.
   */
  readonly redact?: 'payloads';
}

const OPTIONS: KnownNames<CreateMessengerOptions> = {
  bundle: true,
  cluster: true,
  door: true,
  faults: true,
  hardLimitBytes: true,
  highWaterBytes: true,
  host: true,
  jgroups: true,
  limits: true,
  logger: true,
  member: true,
  memberTimeoutMs: true,
  ports: true,
  record: true,
  routing: true,
  seed: true,
  tcp: true,
  tls: true,
  typeOf: true,
  udpReceiveBufferBytes: true,
  udpSendBufferBytes: true,
};

const MEMBER: KnownNames<OwnIdentity> = { name: true, kind: true, weight: true, version: true, uuid: true };

const LIMITS: KnownNames<LimitOptions> = {
  highWaterMessages: true,
  hardLimitMessages: true,
  totalBytes: true,
  totalMessages: true,
  highPriorityShare: true,
};

const FAULTS: KnownNames<FaultOptions> = { loss: true, duplicate: true, reorder: true, seed: true };

const RECORD: KnownNames<RecordOptions> = { file: true, maxBytes: true, whenFull: true, redact: true };

const MULTICAST: KnownNames<MulticastGroup> = {
  address: true,
  port: true,
  ttl: true,
  receiveBufferBytes: true,
};

/** Options that have a line for each of theirs. */
const CONTAINERS: readonly string[] = ['door', 'faults', 'limits', 'member', 'record', 'routing'];

/** All that have a line in the documents; those of the legacy stack have docstrings. */
export const OPTION_NAMES: readonly string[] = [OPTIONS, MEMBER, LIMITS, FAULTS, RECORD]
  .flatMap((known) => Object.keys(known))
  .concat(Object.keys(DEFAULT_DOOR_LIMITS), Object.keys(DEFAULT_TIMINGS), Object.keys(DEFAULT_ROUTING_POLICY))
  .filter((name) => !CONTAINERS.includes(name));

/**
 * Values are judged where they are used, and those of `tls` in its own room.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for what is missing, and for an option of a name that there is not
 */
export function checkCreateOptions(options: unknown): void {
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  checkOptionNames('', given, OPTIONS);
  checkNeeds(given);
  checkOptionNames('member', given['member'], MEMBER);
  checkOptionNames('limits', given['limits'], LIMITS);
  checkOptionNames('door', given['door'], { ...DEFAULT_DOOR_LIMITS });
  checkOptionNames('tcp', given['tcp'], { ...DEFAULT_TIMINGS });
  checkOptionNames('routing', given['routing'], { ...DEFAULT_ROUTING_POLICY });
  checkOptionNames('record', given['record'], RECORD);
  checkOptionNames('faults', given['faults'], FAULTS);
  checkOptionNames('jgroups', given['jgroups'], { ...GEODE_STACK });
  const { multicast } = (given['jgroups'] ?? {}) as { readonly multicast?: unknown };
  if (multicast === null || multicast === 'unicasts') return;
  checkOptionNames('jgroups.multicast', multicast, MULTICAST);
}

function checkNeeds({ host, cluster, member }: Readonly<Record<string, unknown>>): void {
  const fail = (what: string): never => {
    throw new LocalProtocolError('ERR_OPTIONS', `createMessenger needs ${what}`);
  };
  if (typeof host !== 'string') fail('host, the IP address to bind and to tell the others');
  if (typeof cluster !== 'string') fail('cluster, the name that all members share');
  const version =
    typeof member === 'object' && member !== null && 'version' in member ? member.version : undefined;
  if (typeof version !== 'number') fail('member.version, the version ordinal to advertise, such as 200');
}
