/** What the shell is told. Listed in `rollgate --help`; append only. */
export const ExitCode = {
  /** The command did what it says; for a rehearsal: the contract held. */
  ok: 0,
  /** A rehearsal ran to its end and the contract did not hold. */
  contractBroken: 1,
  /** A capture was read and holds messages that do not decode. */
  undecodable: 1,
  /** Captures were replayed, and something did not hold. */
  replayFailed: 1,
  /** Wrong usage, or something that the command needs could not be had. */
  usage: 2,
  /** Ended by SIGINT or SIGTERM: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
