import type { Teams } from '../harness/team.ts';
import { oneWay, type Sides, sidesOf } from '../harness/team-cases.ts';
import type { BenchCase, ResultSpec, Sample } from '../harness/types.ts';
import { memoryCases } from '../own/memory-cases.ts';
import { pausedPeer } from './paused.ts';
import { type Programs, startProcess } from './processes.ts';
import { reconnects } from './reconnects.ts';

export interface CaseContext {
  readonly teams: Teams;
  readonly programs: Programs;
  readonly quick: boolean;
  /** Of `memory-flat`; null: as many as fit in a short time. */
  readonly messages: number | null;
}

const RESETS = { quick: 50, full: 1_000 };

/** Of one measurement in a full run: with five sides in most cases, more would take longer than a quarter of an hour. */
const FULL_SECONDS = 2;

/** The work of the targets, and some beside it. */
export function tcpCases(context: CaseContext): BenchCase[] {
  const cases = [
    ...oneWayCases(context),
    roundTripCase(context),
    tlsCase(context),
    ...groupCases(context),
    ...broadcastCases(context),
    pausedCase(context),
    reconnectCase(context),
    ...ownMemoryCases(context),
  ];
  if (context.quick) return cases;
  return cases.map((bench) => ({ ...bench, effort: { maxSeconds: FULL_SECONDS, ...bench.effort } }));
}

/** The other libraries, as far as they are to be had; `names` of their teams. */
function withRivals({ programs: { rivals } }: CaseContext, sides: Sides, suffix = ''): Sides {
  return {
    ...sides,
    ...(rivals.packages === null ? {} : { zeromq: `zeromq${suffix}` }),
    ...(rivals.packages === null || rivals.natsServer === null ? {} : { nats: `nats${suffix}` }),
  };
}

function oneWayCases(context: CaseContext): BenchCase[] {
  const without = { ours: 'ours', jvm: 'jvm', raw: 'raw' };
  const rate = (
    sizeBytes: number,
    label: string,
    count: number,
    targets: { raw: number | null; jvm: number | null },
  ): BenchCase => {
    const name = `oneway-${sizeBytes}`;
    const title = `one way, ${label}`;
    const unit: Partial<ResultSpec> = sizeBytes < 65_536 ? {} : { metric: 'megabytes', unit: 'MB/s' };
    const results = [
      { ...unit, name, against: 'raw', target: targets.raw },
      { ...unit, name: `${name}-jvm`, against: 'jvm', target: targets.jvm },
    ];
    // a first look is to take three minutes
    const sides = context.quick && sizeBytes !== 1024 ? without : withRivals(context, without);
    return oneWay(context.teams, { name, title, sizeBytes, count, sides, results, bundle: true });
  };
  return [
    rate(1024, '1 KiB', 1_000_000, { raw: 0.6, jvm: 1.2 }),
    rate(65_536, '64 KiB', 30_000, { raw: 0.85, jvm: null }),
    rate(1_048_576, '1 MiB', 2_000, { raw: 0.85, jvm: null }),
    rate(100, '100 B', 1_500_000, { raw: null, jvm: null }),
    rate(10_240, '10 KiB', 150_000, { raw: null, jvm: null }),
  ];
}

function roundTripCase(context: CaseContext): BenchCase {
  const trip = { title: 'round trip, 100 B', unit: 'us', against: 'raw', lowerIsBetter: true };
  const sides = withRivals(context, { ours: 'ours', jvm: 'jvm', raw: 'raw' });
  return {
    name: 'roundtrip-100',
    title: trip.title,
    count: 20_000,
    sides: sidesOf(context.teams, sides, (team, count) => team.roundTrip(count, 100)),
    pace: ({ metrics }) => 1e6 / (metrics['p50'] ?? 1e3),
    results: [
      { name: 'roundtrip-100-p50', ...trip, title: `${trip.title}, p50`, metric: 'p50', target: 1.2 },
      { name: 'roundtrip-100-p99', ...trip, title: `${trip.title}, p99`, metric: 'p99', target: 1.3 },
    ],
  };
}

/** `raw` is node:tls here. */
function tlsCase({ teams }: CaseContext): BenchCase {
  return oneWay(teams, {
    name: 'tls-1024',
    title: 'one way by TLS 1.3, 1 KiB',
    sizeBytes: 1024,
    count: 400_000,
    bundle: true,
    sides: { ours: 'ours tls', raw: 'raw tls', 'ours without tls': 'ours' },
    results: [
      { against: 'raw', target: 0.85 },
      { name: 'tls-1024-plain', title: 'TLS 1.3 beside plaintext, 1 KiB', against: 'ours without tls' },
    ],
  });
}

function groupCases(context: CaseContext): BenchCase[] {
  const three = { ours: 'ours three', jvm: 'jvm three', raw: 'raw three' };
  return [
    oneWay(context.teams, {
      name: 'group3-1024',
      title: 'to three receivers, 1 KiB',
      sizeBytes: 1024,
      count: 150_000,
      bundle: true,
      sides: context.quick ? three : withRivals(context, three, ' three'),
      results: [{ against: 'raw' }, { name: 'group3-1024-jvm' }],
    }),
    oneWay(context.teams, {
      name: 'group30-1024',
      title: 'to 30 receivers, 1 KiB',
      sizeBytes: 1024,
      count: 20_000,
      bundle: true,
      sides: { ours: 'ours thirty', raw: 'raw thirty' },
      results: [{ against: 'raw' }],
    }),
  ];
}

/** What the sender pays for one recipient of one message, to many by that to three. */
function broadcastCases({ teams }: CaseContext): BenchCase[] {
  const cost = { metric: 'senderCpuPerDelivery', unit: 'us', against: 'ours to three', lowerIsBetter: true };
  const wide = (recipients: number, team: string): BenchCase => {
    const name = `broadcast-${recipients}`;
    const title = `sender's cost per recipient, ${recipients} by 3 of them`;
    // as many deliveries for both: the sender's clock ticks in hundredths of a second
    const deliveries = 600_000;
    const work =
      (of: number) =>
      async (count: number): Promise<Sample> => {
        const one = await teams.of(of === 3 ? 'ours 3 in one' : team);
        return one.oneWay({ count: Math.ceil(count / of), sizeBytes: 1024 });
      };
    return {
      name,
      title,
      count: deliveries,
      sides: { ours: work(recipients), 'ours to three': work(3) },
      pace: null,
      results: [{ name, title, target: 1.1, ...cost }],
    };
  };
  return [wide(30, 'ours thirty'), wide(300, 'ours 300 in one')];
}

function pausedCase({ teams }: CaseContext): BenchCase {
  const title = 'rate to 29 receivers while a 30th is stopped';
  const work =
    (paused: boolean) =>
    async (count: number): Promise<Sample> => {
      try {
        return await pausedPeer(await teams.of('ours 29 and one'), count, paused);
      } catch (error) {
        await teams.discard('ours 29 and one');
        throw error;
      }
    };
  return {
    name: 'paused-29',
    title,
    count: 15_000,
    sides: { ours: work(true), 'without it': work(false) },
    pace: null,
    results: [
      { name: 'paused-29', title, metric: 'rate', unit: 'msg/s', against: 'without it', target: 0.95 },
    ],
  };
}

function reconnectCase({ quick, programs }: CaseContext): BenchCase {
  const limit = { unit: 'ms', against: null, lowerIsBetter: true };
  const title = 'first message after a reset';
  return {
    name: 'reconnect',
    title,
    count: quick ? RESETS.quick : RESETS.full,
    sides: { ours: (count) => reconnects(count, programs) },
    pace: null,
    warmUp: false,
    effort: { runs: 1, share: 1 },
    results: [
      { name: 'reconnect-ms', title: `${title}, p99`, ...limit, metric: 'p99', target: 50 },
      { name: 'reconnect-p50-ms', title: `${title}, p50`, ...limit, metric: 'p50', target: null },
      { name: 'reconnect-max-ms', title: `${title}, longest`, ...limit, metric: 'max', target: null },
    ],
  };
}

function ownMemoryCases({ teams, programs, quick, messages }: CaseContext): BenchCase[] {
  const start = (flags: readonly string[]) =>
    startProcess(
      'own',
      { isHeapDefault: true },
      { ...programs, nodeFlags: [...programs.nodeFlags, ...flags] },
    );
  return memoryCases({ teams, quick, messages, start, targetBytes: 8192 });
}
