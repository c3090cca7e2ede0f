import { Command, CommanderError, Option } from 'commander';

import { type CliContext, type GlobalFlags, LOG_LEVELS } from './context.ts';
import { createDecodeCommand } from './decode-command.ts';
import { ExitCode } from './exit-code.ts';
import { describeError } from './failure.ts';
import { createInspectCommand } from './inspect-command.ts';
import { oneOf } from './option-parsers.ts';
import { createRecordCommand } from './record-command.ts';
import { createRehearseCommand } from './rehearse-command.ts';
import { createReplayCommand } from './replay-command.ts';

/** In the order in which `--help` lists them. */
const COMMANDS = [
  createRehearseCommand,
  createDecodeCommand,
  createInspectCommand,
  createReplayCommand,
  createRecordCommand,
];

/** Runs the command line and resolves to its exit code. Throws nothing. */
export async function runCli(context: CliContext): Promise<ExitCode> {
  let code: ExitCode = ExitCode.ok;
  const program = createProgram(context);
  for (const createCommand of COMMANDS) {
    addCommand(
      program,
      createCommand(context, (result) => (code = result)),
    );
  }
  try {
    checkHelpTopic(program, context.args);
    await program.parseAsync(context.args, { from: 'user' });
    return code;
  } catch (error) {
    // commander has said what is wrong, or printed the help or the version that was asked for
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    context.stderr.write(`${describeError(error, program.opts<GlobalFlags>().debug === true)}\n`);
    return ExitCode.usage;
  }
}

function createProgram(context: CliContext): Command {
  const { stdout, stderr } = context;
  return new Command('rollgate')
    .description(
      'Moves a live Apache Geode or JGroups 3.6 cluster from reliable UDP to TCP, member by member.',
    )
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addOption(
      new Option('--log-level <level>', `diagnostics: ${LOG_LEVELS.join(', ')}`)
        .default('warn', 'warn')
        .argParser(oneOf(LOG_LEVELS)),
    )
    .option('--no-color', 'no colors; the same as NO_COLOR=1')
    .option('--debug', 'after an error, print where it came up')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(' is invalid. ', ' is invalid: ')),
      getOutHelpWidth: () => stdout.columns ?? 80,
      getErrHelpWidth: () => stderr.columns ?? 80,
    })
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', EXAMPLES);
}

/** `help` of a command that there is not prints commander's help of the program, as if nothing were wrong. */
function checkHelpTopic(program: Command, [first, topic]: readonly string[]): void {
  if (first !== 'help' || topic === undefined || topic.startsWith('-')) return;
  if (program.commands.some((command) => command.name() === topic)) return;
  if (topic !== 'help')
    program.error(`error: unknown command '${topic}'`, { code: 'commander.unknownCommand' });
}

/** Commands made on their own do not have the program's settings yet. */
function addCommand(program: Command, command: Command): void {
  program.addCommand(command.copyInheritedSettings(program));
}

const EXAMPLES = `
Examples:
  rollgate rehearse                      rehearse an upgrade of four members
  rollgate rehearse --loss 0.05 --kill   the same on a bad network, with crashes
  rollgate rehearse --help               all options of a rehearsal
  rollgate decode capture.pcap           the messages of captured traffic
  rollgate inspect capture.pcap          what went wrong in it, and why
  rollgate replay captures               hold this code against captured traffic

Exit codes:
  0    done; for a rehearsal: the contract held
  1    the rehearsal ran to its end and the contract did not hold; messages of
       a capture do not decode, or were lost and not repaired; a replay does
       not hold
  2    wrong usage, or something that is needed is missing
  130  interrupted`;
