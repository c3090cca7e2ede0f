import { Command, Option } from 'commander';

import type { RecordEvents } from '../recording/record.ts';
import type { Recording } from '../recording/recorder.ts';
import { plan, SCENARIOS } from '../recording/scenarios.ts';
import { PEER_VERSIONS, type PeerVersion } from '../recording/script.ts';
import type { CliContext, GlobalFlags } from './context.ts';
import { ExitCode } from './exit-code.ts';
import { describeError } from './failure.ts';
import { formatCount, formatDuration } from './format.ts';
import { oneOf } from './option-parsers.ts';
import { styleFor } from './style.ts';

const ALL = 'all';

interface RecordFlags extends GlobalFlags {
  readonly peer: PeerVersion | typeof ALL;
  readonly scenario: string;
  readonly out: string;
  readonly list?: boolean;
}

/** @param exit is told the exit code */
export function createRecordCommand(context: CliContext, exit: (code: ExitCode) => void): Command {
  const command = new Command('record')
    .summary('record scenarios of real JGroups peers')
    .description(DESCRIPTION)
    .addHelpText('after', EXAMPLES)
    .action(async (_options, self: Command) => {
      exit(await recordAll(context, self.optsWithGlobals<RecordFlags>()));
    });
  for (const option of recordOptions()) command.addOption(option);
  return command;
}

function recordOptions(): Option[] {
  const names = [...new Set(SCENARIOS.map(({ name }) => name))];
  return [
    new Option('--peer <version>', `${PEER_VERSIONS.join(', ')} or all`)
      .default(ALL, ALL)
      .argParser(oneOf<PeerVersion | typeof ALL>([...PEER_VERSIONS, ALL])),
    new Option('--scenario <name>', 'one of --list, or all')
      .default(ALL, ALL)
      .argParser(oneOf([...names, ALL])),
    new Option('--out <folder>', 'gets <version>/<scenario>/').default('compat-fixtures'),
    new Option('--list', 'print the scenarios, record nothing'),
  ];
}

const DESCRIPTION =
  'Starts real JGroups processes on this machine, has them talk and lose datagrams by a script, and writes what ' +
  'went over the wire (capture.pcap) and what the processes themselves say of it (truth.jsonl). Needs a JDK, ' +
  'tcpdump and the right to capture; for 3.6 Maven as well, for 2.12.2 the Debian package libjgroups-java. Takes ' +
  'about 10 s a scenario.';

const EXAMPLES = `
Examples:
  rollgate record --list
  rollgate record --peer 3.6.14 --scenario loss --out /tmp/recorded

Exit codes:
  0    all were recorded
  1    a scenario did not go as its script says
  2    wrong usage, or something that is needed is missing
  130  interrupted`;

async function recordAll(context: CliContext, flags: RecordFlags): Promise<ExitCode> {
  const { stdout, stderr } = context;
  const versions = flags.peer === ALL ? PEER_VERSIONS : [flags.peer];
  const planned = plan(versions, flags.scenario === ALL ? undefined : [flags.scenario]);
  if (planned.length === 0) {
    stderr.write(`error: JGroups ${flags.peer} has no scenario '${flags.scenario}' (--list names all)\n`);
    return ExitCode.usage;
  }
  if (flags.list === true) {
    for (const { version, scenario } of planned) {
      stdout.write(`${version}/${scenario.name}\n${wrapped(scenario.about)}\n`);
    }
    return ExitCode.ok;
  }
  const abort = new AbortController();
  const report = new Report(context, flags, abort.signal);
  const stopListening = context.onInterrupt(() => {
    if (abort.signal.aborted) context.exitNow(ExitCode.interrupted);
    abort.abort();
  });
  try {
    const scenarios = [...new Set(planned.map(({ scenario }) => scenario.name))];
    await context.runRecording({ versions, scenarios, folder: flags.out }, report, abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  } finally {
    stopListening();
  }
  if (abort.signal.aborted) {
    stdout.write('Interrupted: all peers were stopped.\n');
    return ExitCode.interrupted;
  }
  return report.finish(planned.length);
}

/** Indented, within 80 columns. */
function wrapped(text: string): string {
  return text.replace(/(.{1,76})( |$)/g, '    $1\n').trimEnd();
}

/** A line a scenario. */
class Report implements RecordEvents {
  readonly #context: CliContext;
  readonly #flags: RecordFlags;
  readonly #signal: AbortSignal;
  readonly #style: ReturnType<typeof styleFor>;
  #startedAt = 0;
  #failures = 0;

  constructor(context: CliContext, flags: RecordFlags, signal: AbortSignal) {
    this.#signal = signal;
    this.#context = context;
    this.#flags = flags;
    this.#style = styleFor(context.stdout, context.env, flags.color);
  }

  note(text: string): void {
    this.#context.stderr.write(`${text}\n`);
  }

  started(): void {
    this.#startedAt = this.#context.nowMs();
  }

  recorded(name: string, { packets, sent, delivered, dropped }: Recording): void {
    const took = formatDuration(this.#context.nowMs() - this.#startedAt);
    const lost = dropped === 0 ? '' : `, ${dropped} dropped`;
    const text = `${formatCount(packets)} packets, ${sent} sent, ${delivered} delivered${lost} (${took})`;
    this.#context.stdout.write(`${name.padEnd(NAME_WIDTH)} ${text}\n`);
  }

  failed(name: string, error: Error): void {
    // after an interrupt whatever fails does so because of it
    if (this.#signal.aborted) return;
    this.#failures++;
    const why = describeError(error, this.#flags.debug === true);
    this.#context.stdout.write(`${name.padEnd(NAME_WIDTH)} ${this.#style.paint('red', why)}\n`);
  }

  finish(count: number): ExitCode {
    const recorded = count - this.#failures;
    this.#context.stdout.write(`\n${recorded} of ${count} recorded in ${this.#flags.out}\n`);
    return this.#failures === 0 ? ExitCode.ok : ExitCode.contractBroken;
  }
}

const NAME_WIDTH = Math.max(
  ...plan().map(({ version, scenario }) => version.length + 1 + scenario.name.length),
);
