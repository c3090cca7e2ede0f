import type { Teams } from '../harness/team.ts';
import { oneWay, type Sides, sidesOf } from '../harness/team-cases.ts';
import type { BenchCase } from '../harness/types.ts';
import { memoryCases } from '../own/memory-cases.ts';
import { type Programs, startProcess } from './processes.ts';

export interface CaseContext {
  readonly teams: Teams;
  readonly programs: Programs;
  readonly quick: boolean;
  /** Of `memory-flat`; null: as many as fit in a short time. */
  readonly messages: number | null;
}

const PAIR: Sides = { ours: 'ours', jvm: 'jvm' };
const WITH_RAW: Sides = { ...PAIR, raw: 'raw' };
const WITH_MIXED: Sides = { ...WITH_RAW, 'ours to jvm': 'ours to jvm', 'jvm to ours': 'jvm to ours' };

const IDLE_BUFFER_BYTES = 4_194_304;

/** The work of issue's targets, and some beside it. */
export function udpCases(context: CaseContext): BenchCase[] {
  const one = oneWayCases(context);
  return [
    ...one,
    ...bundledCases(context),
    ...largeCases(context),
    ...otherCases(context),
    ...ownMemoryCases(context),
  ];
}

function oneWayCases(context: CaseContext): BenchCase[] {
  const plain = (
    sizeBytes: number,
    label: string,
    sides: Sides,
    count: number,
    targets: boolean,
  ): BenchCase => {
    const name = `oneway-${sizeBytes}`;
    const raw = {
      name: `${name}-raw`,
      title: `one way, ${label}`,
      against: 'raw',
      target: targets ? 0.85 : null,
    };
    return oneWay(context.teams, {
      name,
      title: `one way, ${label}`,
      sizeBytes,
      count,
      sides,
      results: [{ target: targets ? 0.9 : null }, raw],
    });
  };
  return [
    plain(100, '100 B', WITH_RAW, 200_000, true),
    plain(1024, '1 KiB', WITH_MIXED, 200_000, true),
    plain(10_240, '10 KiB', WITH_RAW, 60_000, false),
  ];
}

function bundledCases(context: CaseContext): BenchCase[] {
  const bundled = (sizeBytes: number, label: string, count: number, target: number | null): BenchCase =>
    oneWay(context.teams, {
      name: `bundled-${sizeBytes}`,
      title: `one way, bundled, ${label}`,
      sizeBytes,
      count,
      bundle: true,
      sides: PAIR,
      results: [{ target }],
    });
  return [bundled(100, '100 B', 1_000_000, null), bundled(1024, '1 KiB', 600_000, 0.8)];
}

function largeCases(context: CaseContext): BenchCase[] {
  const large = (sizeBytes: number, label: string, count: number): BenchCase =>
    oneWay(context.teams, {
      name: `oneway-${sizeBytes}`,
      title: `one way, ${label} in fragments`,
      sizeBytes,
      count,
      sides: PAIR,
      results: [{ metric: 'megabytes', unit: 'MB/s', target: 0.8 }],
    });
  return [large(65_536, '64 KiB', 20_000), large(1_048_576, '1 MiB', 1_000)];
}

function otherCases(context: CaseContext): BenchCase[] {
  const trip = { title: 'round trip, 100 B', unit: 'us', against: 'raw', lowerIsBetter: true };
  return [
    {
      name: 'roundtrip-100',
      title: trip.title,
      count: 20_000,
      sides: sidesOf(context.teams, WITH_RAW, (team, count) => team.roundTrip(count, 100)),
      pace: ({ metrics }) => 1e6 / (metrics['p50'] ?? 1e3),
      results: [
        { name: 'roundtrip-100-p50', ...trip, title: `${trip.title}, p50`, metric: 'p50', target: 1.15 },
        { name: 'roundtrip-100-p99', ...trip, title: `${trip.title}, p99`, metric: 'p99', target: 1.25 },
      ],
    },
    oneWay(context.teams, {
      name: 'burst-10000-small-buffer',
      title: 'burst of 10,000 x 1 KiB to a JVM with a 64 KiB receive buffer',
      sizeBytes: 1024,
      count: 10_000,
      sides: { ours: 'ours small', jvm: 'jvm small' },
      results: [{ target: 100 }],
      // at the JVM's 430 messages a second it takes its time, so that a quick run gives it less to do
      effort: { share: 1, ...(context.quick ? { runs: 1, maxSeconds: 6 } : { runs: 3, maxSeconds: 120 }) },
    }),
    oneWay(context.teams, {
      name: 'loss5-1024',
      title: 'one way, 1 KiB, 5 % of the datagrams lost',
      sizeBytes: 1024,
      count: 10_000,
      sides: { ours: 'ours lossy', jvm: 'jvm lossy' },
      results: [{ target: 1 }],
      effort: { maxSeconds: context.quick ? 3 : 8 },
    }),
    oneWay(context.teams, {
      name: 'group3-1024',
      title: 'to three receivers by unicasts, 1 KiB',
      sizeBytes: 1024,
      count: 50_000,
      sides: { ours: 'ours three', jvm: 'jvm three' },
      results: [{}],
    }),
  ];
}

function ownMemoryCases({ teams, programs, quick, messages }: CaseContext): BenchCase[] {
  const start = (flags: readonly string[]) =>
    startProcess(
      'own',
      { receiveBufferBytes: IDLE_BUFFER_BYTES, isHeapDefault: true },
      { ...programs, nodeFlags: [...programs.nodeFlags, ...flags] },
    );
  return memoryCases({ teams, quick, messages, start, targetBytes: 2048 });
}
