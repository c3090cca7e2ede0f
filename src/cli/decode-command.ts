import { Command, Option } from 'commander';

import { CaptureRecords } from '../compat/capture-records.ts';
import { RecordJson } from '../compat/record-json.ts';
import type { CaptureRecord } from '../compat/record.ts';
import type { CliContext, GlobalFlags, OutputStream } from './context.ts';
import { addressFilter, passes, protocolName } from './decode-filter.ts';
import type { RecordFilter } from './decode-filter.ts';
import { DecodeLines } from './decode-line.ts';
import { ExitCode } from './exit-code.ts';
import { formatCount } from './format.ts';
import { styleFor } from './style.ts';

interface DecodeFlags extends RecordFilter, GlobalFlags {
  readonly json?: boolean;
  readonly absolute?: boolean;
}

/** @param exit is told the exit code */
export function createDecodeCommand(context: CliContext, exit: (code: ExitCode) => void): Command {
  const command = new Command('decode')
    .summary('print the messages of a capture, one a line')
    .description(DESCRIPTION)
    .argument('<file...>', 'captures: pcap or pcapng; - reads standard input')
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], _options, self: Command) => {
      exit(await decodeAll(context, files, self.optsWithGlobals<DecodeFlags>()));
    });
  for (const option of decodeOptions()) command.addOption(option);
  return command;
}

function decodeOptions(): Option[] {
  return [
    new Option('--json', 'one JSON object a line'),
    new Option('--absolute', 'time of day (UTC) instead of seconds since the first message'),
    new Option('--protocol <name>', 'only with this header, e.g. UNICAST3; repeatable').argParser(
      protocolName,
    ),
    new Option('--from <address>', 'only from ip, :port or ip:port').argParser(addressFilter),
    new Option('--to <address>', 'only to ip, :port or ip:port').argParser(addressFilter),
    new Option('--cluster <name>', 'only of this cluster'),
    new Option('--errors', 'only what does not decode'),
  ];
}

const DESCRIPTION =
  'Prints what a capture of JGroups 3.6 or 2.12, of Geode or of rollgate holds: one line a message, with time, ' +
  'sender, recipient, cluster, flags, headers and their fields, length, and what Geode put inside. Frames of other ' +
  'kinds are skipped; how many, and of what, is said on standard error in the end. With --json a line is an object; ' +
  'n is the number of the frame in the file, length and sha256 are those of the payload. Secrets in credentials and ' +
  'AUTH tokens are printed as ***.';

const EXAMPLES = `
Examples:
  rollgate decode capture.pcap
  rollgate decode --protocol UNICAST3 --from :41000 capture.pcap
  rollgate decode --json --errors *.pcapng
  tcpdump -i eth0 -U -w - udp | rollgate decode -

Exit codes:
  0    every message decodes
  1    some do not; each has a line that says what is wrong at which byte
  2    wrong usage, a file cannot be read, or it is no capture
  130  interrupted`;

/** Enough to make the work of a write small, little enough to be out at once. */
const MAX_TEXT = 256 * 1024;

async function decodeAll(
  context: CliContext,
  files: readonly string[],
  flags: DecodeFlags,
): Promise<ExitCode> {
  const abort = new AbortController();
  const stopListening = context.onInterrupt(() => {
    if (abort.signal.aborted) context.exitNow(ExitCode.interrupted);
    abort.abort();
  });
  let code: ExitCode = ExitCode.ok;
  try {
    for (const [i, file] of files.entries()) {
      if (files.length > 1 && flags.json !== true) {
        context.stdout.write(`${i === 0 ? '' : '\n'}${file}:\n`);
      }
      const result = await new FileDecoder(context, file, flags).run(abort.signal);
      if (abort.signal.aborted) return ExitCode.interrupted;
      code = worse(code, result);
    }
  } finally {
    stopListening();
  }
  return code;
}

function worse(a: ExitCode, b: ExitCode): ExitCode {
  return a > b ? a : b;
}

class FileDecoder {
  readonly #context: CliContext;
  readonly #file: string;
  readonly #flags: DecodeFlags;
  readonly #capture = new CaptureRecords();
  readonly #json: RecordJson | null;
  readonly #lines: DecodeLines;
  #messages = 0;
  #errors = 0;
  #shown = 0;

  constructor(context: CliContext, file: string, flags: DecodeFlags) {
    this.#context = context;
    this.#file = file;
    this.#flags = flags;
    this.#json = flags.json === true ? new RecordJson() : null;
    this.#lines = new DecodeLines(
      styleFor(context.stdout, context.env, flags.color),
      flags.absolute === true,
    );
  }

  async run(signal: AbortSignal): Promise<ExitCode> {
    const name = this.#file === '-' ? 'standard input' : this.#file;
    try {
      for await (const chunk of this.#context.openInput(this.#file, signal)) {
        await this.#print(this.#capture.push(chunk));
        // the input may be endless, and nothing more will come of it
        if (this.#capture.failure !== null) break;
      }
    } catch (error) {
      if (!signal.aborted) return this.#refuse(`cannot read ${name}: ${describeInputError(error)}`);
    }
    await this.#print(this.#capture.end());
    if (this.#isNoCapture && !signal.aborted) {
      return this.#refuse(`${name} is no capture: ${this.#capture.failure ?? ''}`);
    }
    this.#summarize(name);
    return this.#errors === 0 ? ExitCode.ok : ExitCode.undecodable;
  }

  get #isNoCapture(): boolean {
    return this.#capture.failure !== null && this.#capture.frames === 0;
  }

  async #print(records: readonly CaptureRecord[]): Promise<void> {
    if (this.#isNoCapture) return;
    let text = '';
    for (const record of records) {
      if (record.kind === 'error') this.#errors++;
      else this.#messages++;
      this.#lines.start(record);
      if (!passes(record, this.#flags)) continue;
      this.#shown++;
      text += `${this.#json === null ? this.#lines.line(record) : this.#json.line(record)}\n`;
      if (text.length < MAX_TEXT) continue;
      await write(this.#context.stdout, text);
      text = '';
    }
    if (text !== '') await write(this.#context.stdout, text);
  }

  #refuse(what: string): ExitCode {
    this.#context.stderr.write(`error: ${what}\n`);
    return ExitCode.usage;
  }

  #summarize(name: string): void {
    const { frames, skipped } = this.#capture;
    const all = this.#messages + this.#errors;
    const counts = [
      `${counted(frames, 'frame')}, ${counted(this.#messages, 'message')}`,
      ...(this.#shown === all ? [] : [`${formatCount(this.#shown)} shown`]),
      ...(this.#errors === 0 ? [] : [`${formatCount(this.#errors)} did not decode`]),
    ];
    const lines = [`${name}: ${counts.join(', ')}`];
    for (const [what, count] of skipped.counts) lines.push(`  skipped: ${formatCount(count)} ${what}`);
    this.#context.stderr.write(`${lines.join('\n')}\n`);
  }
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** Waits where the reader of a pipe is slower than we are: what it has not read must not fill the memory. */
async function write(stream: OutputStream, text: string): Promise<void> {
  if (stream.write(text) !== false || stream.once === undefined) return;
  await new Promise<void>((resolve) => stream.once?.('drain', resolve));
}

const INPUT_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
};

/** @throws what is no error of the file system */
export function describeInputError(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
  return INPUT_ERRORS[error.code] ?? error.message;
}
