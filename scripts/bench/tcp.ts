/**
 * `npm run bench:tcp`: our TCP stack, JGroups 3.6.14 over TCP in JVMs, raw node:net and other libraries do the same
 * work in the same run, one after the other and again.
 */

import { fileURLToPath } from 'node:url';

import { writeDocuments } from './harness/documents.ts';
import { optionsOrExit } from './harness/options.ts';
import { runBenchmark } from './harness/run-benchmark.ts';
import { Teams } from './harness/team.ts';
import { tcpCases } from './tcp/cases.ts';
import { TCP_DOCUMENT } from './tcp/document.ts';
import { natsServerVersion, NO_RIVALS, prepareRivals, RIVAL_VERSIONS, type Rivals } from './tcp/rivals.ts';
import { createTeam } from './tcp/teams.ts';

const HELP = `npm run bench:tcp -- [options]

Our TCP stack, JGroups 3.6.14 over TCP in JVMs, raw node:net and node:tls, zeromq and nats do the same work in turns.
A full run takes a quarter of an hour and writes docs/bench-tcp.{json,md,svg} and the table in the README.

  --quick            shorter runs and fewer of them; nothing is written
  --only A,B         these cases or results only; nothing is written
  --list             names of the cases, each with those of its results
  --runs N           runs of each case (default 5; with --quick 3)
  --scale X          X times the messages of each case
  --messages N       of memory-flat, such as 50m
  --warm-up SECONDS  of processor time at most, for each pair of processes (default 10; with --quick 1.5)
  --own JSON         options of our messenger that differ from its defaults; nothing is written
  --node-flags A,B   for our processes, such as --cpu-prof; nothing is written
  --without-rivals   without zeromq and nats, which are installed into the user's cache folder otherwise
  --json             the last line is one JSON object
  --strict           ends with 1 if a target is not met
  --help             this text

Cases, in messages or MB a second but where they say otherwise:

  oneway-100, oneway-1024, oneway-10240, oneway-65536, oneway-1048576
                     so many bytes each, from one sender to one receiver
  roundtrip-100      there and back, 100 bytes: median and p99 in microseconds
  tls-1024           one way by TLS 1.3; raw is node:tls
  group3-1024, group30-1024
                     each message to three or to 30 receivers
  broadcast-30, broadcast-300
                     microseconds of the sender's processor for one recipient of a message to so many, held
                     against a message to three: 1 means that a recipient more costs what the others do
  paused-29          the rate to each of 29 receivers while a 30th is stopped, by the rate while it is not
  reconnect          milliseconds from a reset of the connection to the first message on the next one
  idle-peer-bytes    memory for a peer that has sent and got one message and is silent now
  memory-flat        resident memory at the end of a long run by that at its beginning: 1 is flat

A result with -jvm behind its name is held against the JVM, others against raw node:net where it takes part; with
-plain against ours without TLS.

It ends with 1 if a measurement broke (a message lost, doubled or out of order, a process ended, nothing came for
half a minute) of ours or of a side that ours is held against, with 2 if an option is wrong. A target that is not met is said in the table, and no failure, but with --strict.`;

/** Of processor time, at most, for each team. */
const WARM_UP_SECONDS = { quick: 1.5, full: 10 };

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOrExit(args, HELP);
  if (typeof options === 'number') return options;
  const { ownOptions, nodeFlags, quick, messages } = options;
  const rivals = options.withoutRivals || options.list ? NO_RIVALS : await prepareRivals();
  for (const one of rivals.missing) console.error(`left out: ${one}`);
  const programs = { ownOptions, nodeFlags, rivals };
  const warmUpSeconds = options.warmUpSeconds ?? (quick ? WARM_UP_SECONDS.quick : WARM_UP_SECONDS.full);
  const teams = new Teams((name) => createTeam(name, programs, warmUpSeconds));
  try {
    const known = await facts(rivals);
    return await runBenchmark(tcpCases({ teams, programs, quick, messages }), options, (results, more) => {
      const root = fileURLToPath(new URL('../../', import.meta.url));
      return writeDocuments(root, TCP_DOCUMENT, results, { ...known, ...more });
    });
  } finally {
    await teams.stop();
  }
}

/** What the figures were measured with. */
async function facts({ packages, natsServer }: Rivals): Promise<Readonly<Record<string, string>>> {
  return {
    JGroups: '3.6.14 with the stack of Geode 1.15.1 over TCP',
    ...(packages === null ? {} : { zeromq: RIVAL_VERSIONS.zeromq }),
    ...(natsServer === null
      ? {}
      : { nats: `${RIVAL_VERSIONS.nats}, nats-server ${await natsServerVersion(natsServer)}` }),
  };
}

process.exitCode = await main(process.argv.slice(2));
