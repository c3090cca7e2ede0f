import { randomInt } from 'node:crypto';

import { Command, Option } from 'commander';

import type { OldPeers, OldVersion, RehearsalOptions, RehearsalReport } from '../rehearsal/types.ts';
import type { CliContext, GlobalFlags } from './context.ts';
import type { Display } from './display.ts';
import { ExitCode } from './exit-code.ts';
import { LiveDisplay } from './live-display.ts';
import { createLog } from './log.ts';
import { oneOf, probability, wholeNumber } from './option-parsers.ts';
import { PlainDisplay } from './plain-display.ts';
import { renderIntroduction, renderJson, renderRepeat, renderReport } from './rehearsal-report.ts';
import { type Style, styleFor } from './style.ts';

/** Above this a window of messages hardly ever gets through, and a run proves nothing but patience. */
const MAX_FAULT = 0.5;

/** The header of a numbered payload. */
const MIN_SIZE = 36;
const MAX_SIZE = 16 * 1024 * 1024;

/** A random generator is seeded with 32 bits: larger seeds would repeat smaller ones' runs. */
const MAX_SEED = 0xffff_ffff;

const TICK_MS = 250;

/** What commander makes of the options; switches that are not given are absent. */
interface RehearseFlags extends Omit<RehearsalOptions, 'seed' | 'kill'>, GlobalFlags {
  readonly seed?: number;
  readonly kill?: boolean;
  readonly json?: boolean;
}

/** @param exit is told the exit code */
export function createRehearseCommand(context: CliContext, exit: (code: ExitCode) => void): Command {
  const command = new Command('rehearse')
    .summary('rehearse an upgrade under traffic, count every message')
    .description(DESCRIPTION)
    .addHelpText('after', EXAMPLES)
    .action(async (_options, self: Command) => {
      exit(await rehearse(context, self.optsWithGlobals<RehearseFlags>()));
    });
  for (const option of rehearseOptions()) command.addOption(option);
  return command;
}

function rehearseOptions(): Option[] {
  const fault = (name: string, help: string): Option =>
    new Option(`--${name} <probability>`, help).default(0).argParser(probability(MAX_FAULT));
  return [
    new Option('--members <number>', 'members of the cluster, 2 to 20')
      .default(4)
      .argParser(wholeNumber('number of members', 2, 20)),
    new Option('--rate <number>', 'messages a second of each member')
      .default(200)
      .argParser(wholeNumber('number of messages a second', 1, 100_000)),
    new Option('--size <bytes>', 'bytes of a message, 36 to 16 MiB')
      .default(1024)
      .argParser(wholeNumber('number of bytes', MIN_SIZE, MAX_SIZE)),
    fault('loss', `share of datagrams lost, 0 to ${MAX_FAULT}`),
    fault('duplicate', `share that arrives twice, 0 to ${MAX_FAULT}`),
    fault('reorder', `share that is overtaken, 0 to ${MAX_FAULT}`),
    new Option('--kill', 'old members are killed instead of leaving'),
    new Option('--old <jvm|embedded|auto>', 'old members: real JVMs, our own, or JVMs if they can be had')
      .default('auto', 'auto')
      .argParser(oneOf<OldPeers>(['jvm', 'embedded', 'auto'])),
    new Option('--old-version <3.6.14|3.6.20>', 'the JGroups of old members')
      .default('3.6.14', '3.6.14')
      .argParser(oneOf<OldVersion>(['3.6.14', '3.6.20'])),
    new Option('--seed <number>', 'repeats a run (default: a random one)').argParser(
      wholeNumber('whole number', 0, MAX_SEED),
    ),
    new Option('--json', 'last line of standard output: a JSON object'),
  ];
}

const DESCRIPTION =
  'Starts a cluster of old members, which talk JGroups 3.6 over UDP, and replaces them one by one by members ' +
  'that also talk TCP. Numbered, checksummed messages go from all to all meanwhile. Ends with a report of what ' +
  'was sent, delivered, lost, duplicated and reordered. All members run on this machine. The faults of --loss, ' +
  '--duplicate and --reorder are injected at the UDP sockets of our own members, in both directions. With --json ' +
  'all else goes to standard error.';

const EXAMPLES = `
Examples:
  rollgate rehearse
  rollgate rehearse --old jvm --old-version 3.6.20 --rate 500
  rollgate rehearse --loss 0.05 --duplicate 0.02 --reorder 0.05 --kill
  rollgate rehearse --size 150000 --rate 20 --json | tail -n 1

Exit codes:
  0    the contract held
  1    it did not
  2    wrong usage, or something that is needed is missing
  130  interrupted`;

async function rehearse(context: CliContext, flags: RehearseFlags): Promise<ExitCode> {
  const { stdout, stderr, env, nowMs } = context;
  const asJson = flags.json === true;
  const out = asJson ? stderr : stdout;
  const style = styleFor(out, env, flags.color);
  const options = rehearsalOptions(flags);
  out.write(`${renderIntroduction(options)}\n\n`);
  const isLive = out.isTTY === true && env['TERM'] !== 'dumb';
  const display = isLive ? new LiveDisplay(out, nowMs, style) : new PlainDisplay(out, nowMs);
  const report = await runUnderDisplay(context, flags, options, display);
  if (report === null) {
    out.write('\nInterrupted: all members were stopped, and there is no report.\n');
    return ExitCode.interrupted;
  }
  out.write(`\n${reportText(report, options, context, style)}\n`);
  if (asJson) stdout.write(`${renderJson(report, options.seed)}\n`);
  return report.ok ? ExitCode.ok : ExitCode.contractBroken;
}

function rehearsalOptions(flags: RehearseFlags): RehearsalOptions {
  const { members, rate, size, loss, duplicate, reorder, old, oldVersion } = flags;
  const kill = flags.kill === true;
  const seed = flags.seed ?? randomInt(MAX_SEED + 1);
  return { members, rate, size, loss, duplicate, reorder, kill, old, oldVersion, seed };
}

/** What was used counts, where `auto` chose. */
function reportText(
  report: RehearsalReport,
  options: RehearsalOptions,
  context: CliContext,
  style: Style,
): string {
  return renderReport(report, renderRepeat({ ...options, old: report.oldPeers }, context.env), style);
}

/** Null: it was interrupted. */
async function runUnderDisplay(
  context: CliContext,
  flags: GlobalFlags,
  options: RehearsalOptions,
  display: Display,
): Promise<RehearsalReport | null> {
  const abort = new AbortController();
  const stopListening = context.onInterrupt(() => {
    if (abort.signal.aborted) context.exitNow(ExitCode.interrupted);
    display.note('stopping all members; once more to stop at once');
    abort.abort();
  });
  const ticking = setInterval(() => display.tick(), TICK_MS);
  const log = createLog(flags.logLevel, (line) => display.aside(() => context.stderr.write(line)));
  try {
    const report = await context.runRehearsal(options, display, abort.signal, log);
    return abort.signal.aborted ? null : report;
  } catch (error) {
    // after an interrupt whatever fails does so because of it
    if (abort.signal.aborted) return null;
    throw error;
  } finally {
    clearInterval(ticking);
    stopListening();
    display.finish();
  }
}
