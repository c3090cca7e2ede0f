/**
 * `npm run bench:udp`: our legacy stack, the real JGroups 3.6.14 in JVMs and raw node:dgram do the same work in the
 * same run, one after the other and again.
 */

import { fileURLToPath } from 'node:url';

import { optionsOrExit } from './harness/options.ts';
import { writeDocuments } from './harness/documents.ts';
import { runBenchmark } from './harness/run-benchmark.ts';
import { Teams } from './harness/team.ts';
import { udpCases } from './udp/cases.ts';
import { UDP_DOCUMENT } from './udp/document.ts';
import { createTeam } from './udp/teams.ts';

const HELP = `npm run bench:udp -- [options]

Our UDP stack, JGroups 3.6.14 in JVMs and raw node:dgram do the same work in turns. A full run takes some ten
minutes and writes docs/bench-udp.{json,md,svg} and the table in the README.

  --quick            shorter runs and fewer of them; nothing is written
  --only A,B         these cases or results only; nothing is written
  --list             names of the cases, each with those of its results
  --runs N           runs of each case (default 5; with --quick 3)
  --scale X          X times the messages of each case
  --messages N       of memory-flat, such as 50m
  --warm-up SECONDS  of processor time at most, for each pair of processes (default 30; with --quick 10)
  --own JSON         options of our messenger that differ from its defaults; nothing is written
  --node-flags A,B   for our processes, such as --cpu-prof; nothing is written
  --json             the last line is one JSON object
  --strict           ends with 1 if a target is not met
  --help             this text

Cases, in messages or MB a second but where they say otherwise:

  oneway-100, oneway-1024, oneway-10240
                     so many bytes each, not bundled, from one sender to one receiver
  bundled-100, bundled-1024
                     the same with several messages to a datagram
  oneway-65536, oneway-1048576
                     large messages, in fragments
  roundtrip-100      there and back, 100 bytes: median and p99 in microseconds
  burst-10000-small-buffer
                     10,000 x 1 KiB at once to a JVM that has Geode's receive buffer of 64 KiB
  loss5-1024         one way through a relay that loses 5 % of the datagrams
  group3-1024        each message to three receivers, a datagram for each
  idle-peer-bytes    memory for a peer that has sent and got one message and is silent now
  memory-flat        resident memory at the end of a long run by that at its beginning: 1 is flat

A result with -raw behind its name is held against raw node:dgram, others against the JVM where it takes part.

It ends with 1 if a measurement broke (a message lost, doubled or out of order, a process ended, nothing came for
half a minute) of ours or of a side that ours is held against, with 2 if an option is wrong. A target that is not met is said in the table, and no failure, but with --strict.`;

/** Of processor time, at most, for each team. */
const WARM_UP_SECONDS = { quick: 10, full: 30 };

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOrExit(args, HELP);
  if (typeof options === 'number') return options;
  const { ownOptions, nodeFlags, quick, messages } = options;
  const programs = { ownOptions, nodeFlags };
  const warmUpSeconds = options.warmUpSeconds ?? (quick ? WARM_UP_SECONDS.quick : WARM_UP_SECONDS.full);
  const teams = new Teams((name) => createTeam(name, programs, warmUpSeconds));
  try {
    return await runBenchmark(udpCases({ teams, programs, quick, messages }), options, (results, facts) => {
      const root = fileURLToPath(new URL('../../', import.meta.url));
      return writeDocuments(root, UDP_DOCUMENT, results, {
        JGroups: '3.6.14 with the stack of Geode 1.15.1',
        ...facts,
      });
    });
  } finally {
    await teams.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
