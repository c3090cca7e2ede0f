import { Command, Option } from 'commander';

import { CaptureRecords } from '../compat/capture-records.ts';
import { renderPage } from '../compat/inspect/html/page.ts';
import { type Inspection, Inspector } from '../compat/inspect/inspector.ts';
import type { CliContext, GlobalFlags } from './context.ts';
import { describeInputError } from './decode-command.ts';
import { ExitCode } from './exit-code.ts';
import { renderInspection } from './inspect-report.ts';
import { styleFor } from './style.ts';

interface InspectFlags extends GlobalFlags {
  readonly json?: boolean;
  readonly html?: string;
}

/** @param exit is told the exit code */
export function createInspectCommand(context: CliContext, exit: (code: ExitCode) => void): Command {
  return new Command('inspect')
    .summary('tell the story of a capture: losses, repairs, stalls, views')
    .description(DESCRIPTION)
    .argument('<file>', 'a capture: pcap or pcapng; - reads standard input')
    .addOption(new Option('--json', 'one JSON object instead of the report'))
    .addOption(new Option('--html <out>', 'also write a page with a timeline and sequence diagrams'))
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, _options, self: Command) => {
      exit(await inspect(context, file, self.optsWithGlobals<InspectFlags>()));
    });
}

const DESCRIPTION =
  'Reads a capture of JGroups 3.6 or 2.12, of Geode or of rollgate and tells what went on in the cluster: members ' +
  'and their versions, views, and for each sender and recipient what was lost, who asked for it and how long the ' +
  'repair took, credit stalls, fragments, and all that is out of the ordinary, in plain words. The page of --html ' +
  'is one file that loads nothing; it opens in any browser, from disk.';

const EXAMPLES = `
Examples:
  rollgate inspect capture.pcap
  rollgate inspect --html story.html capture.pcap
  rollgate inspect --json capture.pcap | jq .anomalies

Exit codes:
  0    all messages decode, and all that was lost was repaired
  1    not so, or there is no message in the capture
  2    wrong usage, a file cannot be read or written, or it is no capture
  130  interrupted`;

async function inspect(context: CliContext, file: string, flags: InspectFlags): Promise<ExitCode> {
  const { stdout, stderr, env } = context;
  const abort = new AbortController();
  const stopListening = context.onInterrupt(() => {
    if (abort.signal.aborted) context.exitNow(ExitCode.interrupted);
    abort.abort();
  });
  let read: Inspection | string;
  try {
    read = await readCapture(context, file, abort.signal);
  } finally {
    stopListening();
  }
  // what tcpdump had written until ^C is worth a report; what is on disk can be read again
  if (abort.signal.aborted && file !== '-') return ExitCode.interrupted;
  if (typeof read === 'string') {
    stderr.write(`error: ${read}\n`);
    return ExitCode.usage;
  }
  const { report } = read;
  if (flags.json === true) stdout.write(`${JSON.stringify(report)}\n`);
  else stdout.write(`${renderInspection(report, styleFor(stdout, env, flags.color))}\n`);
  if (flags.html !== undefined) {
    try {
      await context.writeFile(flags.html, renderPage(read, context.version));
    } catch (error) {
      stderr.write(`error: cannot write ${flags.html}: ${describeInputError(error)}\n`);
      return ExitCode.usage;
    }
  }
  return report.ok ? ExitCode.ok : ExitCode.contractBroken;
}

/** A text says why there is none. */
async function readCapture(
  context: CliContext,
  file: string,
  signal: AbortSignal,
): Promise<Inspection | string> {
  const name = file === '-' ? 'standard input' : file;
  const capture = new CaptureRecords();
  const inspector = new Inspector();
  try {
    for await (const chunk of context.openInput(file, signal)) {
      for (const record of capture.push(chunk)) inspector.add(record);
      if (capture.failure !== null) break;
    }
  } catch (error) {
    if (!signal.aborted) return `cannot read ${name}: ${describeInputError(error)}`;
  }
  const last = capture.end();
  if (capture.failure !== null && capture.frames === 0) return `${name} is no capture: ${capture.failure}`;
  for (const record of last) inspector.add(record);
  return inspector.finish(name, capture.skipped.counts);
}
