import { Writable } from 'node:stream';

import winston from 'winston';

import type { Logger } from '../protocol/logger.ts';
import type { LogLevel } from './context.ts';

/**
 * Diagnostics of the stacks, one line each: `03:12:45 warn: ...`.
 * @param writeLine where to; is given a line with its end
 */
export function createLog(level: LogLevel, writeLine: (line: string) => void): Logger {
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      writeLine(chunk.toString());
      done();
    },
  });
  const { combine, printf, timestamp } = winston.format;
  return winston.createLogger({
    level,
    format: combine(
      timestamp({ format: 'HH:mm:ss' }),
      printf((entry) => `${String(entry['timestamp'])} ${entry.level}: ${harmless(String(entry.message))}`),
    ),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's types declare this class as an interface
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
}

/** What a peer sent may be part of a message: it shall neither steer the terminal nor pass for a line of its own. */
function harmless(text: string): string {
  return text
    .replaceAll('\n', '\n    ')
    .replace(/(?!\n)\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
