import { Command, InvalidArgumentError, Option } from 'commander';

import { sumOfFaults } from '../compat/replay/fault-verdict.ts';
import type { Faults } from '../compat/replay/faulty-world.ts';
import { junitXml } from '../compat/replay/junit.ts';
import type { CaptureSource } from '../compat/replay/replay-capture.ts';
import { replayCapture, UnreadableCaptureError } from '../compat/replay/replay-capture.ts';
import type { CaptureResult, ReplayReport, UnreadableCapture } from '../compat/replay/result.ts';
import { TruthError } from '../compat/replay/truth.ts';
import { captureSources } from './capture-files.ts';
import type { CliContext, GlobalFlags } from './context.ts';
import { ExitCode } from './exit-code.ts';
import { probability, wholeNumber } from './option-parsers.ts';
import { renderReplay } from './replay-report.ts';
import { styleFor } from './style.ts';

interface ReplayFlags extends GlobalFlags {
  readonly json?: boolean;
  readonly faults?: Faults;
  readonly junit?: string;
}

/** Above it hardly anything gets through. */
const MAX_FAULT = 0.5;
const MAX_SEED = 0xffff_ffff;

/** @param exit is told the exit code */
export function createReplayCommand(context: CliContext, exit: (code: ExitCode) => void): Command {
  const command = new Command('replay')
    .summary('run captured traffic through the production stack')
    .description(DESCRIPTION)
    .argument('<path...>', 'captures, folders with one, or folders of such folders')
    .addHelpText('after', EXAMPLES)
    .action(async (paths: string[], _options, self: Command) => {
      exit(await replay(context, paths, self.optsWithGlobals<ReplayFlags>()));
    });
  for (const option of replayOptions()) command.addOption(option);
  return command;
}

function replayOptions(): Option[] {
  return [
    new Option(
      '--faults <list>',
      'the same conversation on a bad network: loss=0.1,reorder=0.05,seed=7',
    ).argParser(parseFaults),
    new Option('--junit <file>', 'also write the result as JUnit XML'),
    new Option('--json', 'one JSON object instead of the report'),
  ];
}

const DESCRIPTION =
  'Reads captures of JGroups 3.6 traffic (pcap, pcapng) and lets the production stack stand in for each member in ' +
  'turn: it gets what that member got, when it got it, and what it delivers and answers is held against what the ' +
  'member itself did. Beside capture.pcap a file truth.jsonl may tell what that was; else the rules of the wire do. ' +
  'Every datagram must decode, and encode again to the same bytes. Captures with what the stack does not speak yet ' +
  '(JGroups 2.12) are only decoded. --faults lets the same messages be sent again, between ' +
  'our own stacks, over a network that loses, doubles (duplicate=) and delays datagrams.';

const EXAMPLES = `
Examples:
  rollgate replay compat-fixtures
  rollgate replay --junit replay.xml captures/unicast other.pcapng
  rollgate replay --faults loss=0.1,reorder=0.05,duplicate=0.02,seed=7 captures

Exit codes:
  0    all captures hold
  1    something does not
  2    wrong usage, or a capture cannot be read
  130  interrupted`;

function parseFaults(text: string): Faults {
  const faults = { loss: 0, reorder: 0, duplicate: 0, seed: 1 };
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=', 2).map((word) => word.trim());
    if (!(name in faults)) {
      throw new InvalidArgumentError('give loss=, reorder=, duplicate= and seed=, with commas between them');
    }
    const parse = name === 'seed' ? wholeNumber('seed', 0, MAX_SEED) : probability(MAX_FAULT);
    faults[name as keyof Faults] = parse(value);
  }
  return faults;
}

async function replay(context: CliContext, paths: readonly string[], flags: ReplayFlags): Promise<ExitCode> {
  const { stdout, stderr, env } = context;
  const report = await replayAll(paths, flags.faults ?? null);
  if (flags.junit !== undefined) await context.writeFile(flags.junit, junitXml(report));
  if (flags.json === true) stdout.write(`${renderJson(report)}\n`);
  else if (report.captures.length > 0) {
    stdout.write(`${renderReplay(report, styleFor(stdout, env, flags.color))}\n`);
  }
  for (const { error } of report.unreadable) stderr.write(`error: ${error}\n`);
  if (report.unreadable.length > 0) return ExitCode.usage;
  return report.ok ? ExitCode.ok : ExitCode.replayFailed;
}

/** Keys are append-only. */
function renderJson({ unreadable, ...report }: ReplayReport): string {
  return JSON.stringify({ ...report, ...(unreadable.length > 0 ? { unreadable } : {}) });
}

async function replayAll(paths: readonly string[], faults: Faults | null): Promise<ReplayReport> {
  const captures: CaptureResult[] = [];
  const unreadable: UnreadableCapture[] = [];
  for (const path of paths) {
    const sources = await sourcesAt(path, unreadable);
    for (const source of sources) {
      try {
        captures.push(await replayCapture(source, faults));
      } catch (error) {
        unreadable.push({ name: source.name, error: whyUnreadable(source.name, error) });
      }
    }
  }
  const ok = unreadable.length === 0 && captures.every((capture) => capture.ok);
  const sum = sumOfFaults(captures.flatMap((capture) => capture.faults ?? []));
  return { ok, captures, ...(sum === null ? {} : { faults: sum }), unreadable };
}

async function sourcesAt(path: string, unreadable: UnreadableCapture[]): Promise<CaptureSource[]> {
  try {
    const sources = await captureSources(path);
    if (sources.length === 0)
      unreadable.push({ name: path, error: `${path}: there is no capture in this folder` });
    return sources;
  } catch (error) {
    unreadable.push({ name: path, error: whyUnreadable(path, error) });
    return [];
  }
}

/** @throws what is nobody's fault but ours */
function whyUnreadable(name: string, error: unknown): string {
  if (error instanceof UnreadableCaptureError) return error.message;
  if (error instanceof TruthError) return `${name}: ${error.message}`;
  const code = (error as NodeJS.ErrnoException).code;
  if (!(error instanceof Error) || code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
  return code === 'ENOENT' ? `${name}: no such file or folder` : `${name}: ${error.message}`;
}
