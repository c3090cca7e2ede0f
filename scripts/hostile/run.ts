/**
 * Hostile clients beside a healthy pair. First a pair in plaintext, then one that takes nothing but TLS. Stretches of time
 * without and with an attack take turns, and verdict.ts compares them; a member that was not connected yet has to get in
 * meanwhile. A machine that does other work at the same time, as CI's may, is asked for less by `--least-percent`. With
 * `--decoy` what the pair loses is the clients' own work and the kernel's, which share the machine's processors with it.
 */
import { readFileSync } from 'node:fs';

import Table from 'cli-table3';

import { refuse, scriptOptions, wholeNumber } from '../script-options.ts';
import { mutualTls } from '../../test/tls/mutual-tls.ts';
import { type Attack, ATTACKS } from './attacks.ts';
import { type Outcome, Siege } from './siege.ts';
import { isSlowed, TARGET_RATIO } from './verdict.ts';

const HELP = `npm run hostile -- [options]

Hostile clients beside a healthy pair, by TCP and by TLS: silent ones, slow ones, thousands of idle ones, garbage. The
whole set takes some ten minutes.

  --quick              a few attacks only
  --only TEXT          attacks with this in their names
  --rounds N           stretches of time with and without an attack (default 5)
  --window-ms N        how long each of them is (default 150)
  --least-percent N    of its pace that the pair has to keep (default 90)
  --timeout-s N        for all (default 900)
  --decoy              they attack somebody else: what the pair loses then is the machine's doing
  --plant-ms N         the victim wastes so long on each connection, to see that it would be noticed
  --help               this text

It ends with 1 if an attack slows the pair in each of three attempts, a member that joins meanwhile does not get in,
a message is lost, memory grows without bound or time runs out; with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  quick: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  rounds: { type: 'string', default: '5' },
  'window-ms': { type: 'string', default: '150' },
  'timeout-s': { type: 'string', default: '900' },
  'plant-ms': { type: 'string', default: '0' },
  decoy: { type: 'boolean', default: false },
  'least-percent': { type: 'string', default: String(100 * TARGET_RATIO) },
});

/** The machine has other things to do as well: an attack is to blame if it slows the pair each time. */
const ATTEMPTS = 3;

/** 4,096 connections and what strangers may make the victim hold; the same by TLS, whose state costs more. */
const MAX_GROWTH_BYTES = 384 * 1024 * 1024;

/** A handshake's time: by then whoever says nothing has made room. */
const MAX_PROBE_MS = 10_000;

/** For the attacker's other files, and the victim's. */
const SPARE_FILES = 200;

const HEAD = [
  'attack',
  'connections',
  'opened',
  'hung up on',
  'messages/s',
  'under attack',
  'rate',
  'per CPU',
  'attempts',
  'a member gets in',
  'memory',
];

const startMs = performance.now();
const wrong: string[] = [];
const table = new Table({ head: HEAD, style: { head: [], border: [] } });

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;

function say(line: string): void {
  console.log(`${((performance.now() - startMs) / 1_000).toFixed(0).padStart(4)} s  ${line}`);
}

function whole(
  name: 'rounds' | 'window-ms' | 'timeout-s' | 'plant-ms' | 'least-percent',
  least: number,
): number {
  return wholeNumber(name, values[name], least);
}

/** Files that a process of ours may open; node raises the soft limit to the hard one. */
function openFilesLimit(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const limit = Number(line?.[1]);
  return Number.isFinite(limit) ? limit : Infinity;
}

const bound = whole('least-percent', 1) / 100;

const slows = (outcome: Outcome): boolean => isSlowed(outcome, bound);

function complaints(attack: Attack, outcome: Outcome, slowed: boolean): string[] {
  const { rate, perCpu, probeMs, growthBytes } = outcome;
  const lines: string[] = [];
  if (slowed) lines.push(`the healthy pair is slowed: rate ${percent(rate)}, per CPU ${percent(perCpu)}`);
  if (probeMs === null || probeMs > MAX_PROBE_MS) lines.push('a member does not get in');
  if (growthBytes > MAX_GROWTH_BYTES) lines.push(`memory grows by ${mebibytes(growthBytes)}`);
  return lines.map((line) => `${attack.name}: ${line}`);
}

async function withstand(siege: Siege, attack: Attack): Promise<void> {
  const limit = openFilesLimit() - SPARE_FILES;
  const wanted = Math.min(attack.connections, limit);
  if (wanted < attack.connections)
    say(
      `${attack.name}: ${wanted} connections, for only ${limit + SPARE_FILES} files may be open (ulimit -n)`,
    );
  let outcome: Outcome;
  let attempts = 0;
  do {
    outcome = await siege.suffer(attack, wanted);
    attempts++;
    const { rate, perCpu, figures } = outcome;
    const verdict = slows(outcome) ? `slowed, attempt ${attempts} of ${ATTEMPTS}` : 'keeps its pace';
    say(
      `${attack.name}, ${figures.open} open: rate ${percent(rate)}, per CPU ${percent(perCpu)}: ${verdict}`,
    );
  } while (slows(outcome) && attempts < ATTEMPTS);
  wrong.push(...complaints(attack, outcome, slows(outcome)));
  const { figures, quiet, attacked, rate, perCpu, probeMs, growthBytes } = outcome;
  const rates = [quiet.perSecond.toFixed(0), attacked.perSecond.toFixed(0), percent(rate), percent(perCpu)];
  const late = probeMs === null ? 'never' : `${probeMs.toFixed(0)} ms`;
  const { open, opened, closed } = figures;
  table.push([attack.name, open, opened, closed, ...rates, attempts, late, `+${mebibytes(growthBytes)}`]);
}

async function main(): Promise<void> {
  const attacks = ATTACKS.filter(
    ({ name, isQuick }) => name.includes(values.only) && (isQuick || !values.quick),
  );
  if (attacks.length === 0) refuse(`--only: no attack's name has '${values.only}' in it`);
  const rounds = whole('rounds', 1);
  const windowMs = whole('window-ms', 50);
  const burnMs = whole('plant-ms', 0);
  const timeoutS = whole('timeout-s', 1);
  let siege: Siege | null = null;
  let current = 'the start';
  const timer = setTimeout(() => {
    siege?.end();
    console.log(`${table.toString()}\ntime is over (--timeout-s ${timeoutS}) at ${current}`);
    process.exit(1);
  }, timeoutS * 1_000);
  for (const isTls of [false, true]) {
    const some = attacks.filter(({ tls }) => tls === isTls);
    if (some.length === 0) continue;
    siege = new Siege({ tls: isTls ? mutualTls() : null, burnMs, rounds, windowMs, decoy: values.decoy });
    try {
      const isAlone = await siege.start();
      const where = isAlone
        ? 'the victim has a processor for itself'
        : 'no processor can be kept for the victim: who attacks it takes time from it as well';
      say(`a pair is under load${isTls ? ' by TLS' : ''}; ${where}`);
      for (const attack of some) {
        current = attack.name;
        await withstand(siege, attack);
      }
      wrong.push(...(await siege.finish()));
    } finally {
      siege.end();
    }
  }
  clearTimeout(timer);
  console.log(table.toString());
  console.log(wrong.length === 0 ? 'service went on' : wrong.join('\n'));
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

await main();
