/**
 * `npm run bench:hot-path`: what a message costs the legacy stack, in processor time: its codec, the stack without
 * sockets, and two messengers in two processes beside plain node:dgram doing the same work in the same run.
 */

import { refuse, scriptOptions, wholeNumber } from '../script-options.ts';
import { measureCodec } from './hot-path/codec.ts';
import { measurePairs } from './hot-path/pair.ts';
import { measureStack } from './hot-path/stack.ts';

const HELP = `npm run bench:hot-path -- [options]

What a message costs the UDP stack, in processor time. About 20 seconds as it stands.

  --only A,B           codec: bytes to messages and back; stack: two stacks without sockets; pair: two processes on
                       loopback, beside plain node:dgram (default codec,stack,pair)
  --seconds X          of each measurement of codec and stack, after it has warmed up (default 0.4)
  --runs N             of each pair (default 3)
  --messages N         of each pair, half of them to warm up (default 80000)
  --sizes A,B          bytes of a message of each pair (default 100,1024,65536,1048576)
  --modes A,B          of the pairs: raw, own (default raw,own)
  --help               this text

It ends with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  only: { type: 'string', default: 'codec,stack,pair' },
  seconds: { type: 'string', default: '0.4' },
  runs: { type: 'string', default: '3' },
  messages: { type: 'string', default: '80000' },
  sizes: { type: 'string', default: '100,1024,65536,1048576' },
  modes: { type: 'string', default: 'raw,own' },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) refuse(`--seconds wants a number above 0, not '${values.seconds}'`);
const runs = wholeNumber('runs', values.runs, 1);
const messages = wholeNumber('messages', values.messages, 1);
const sizes = values.sizes.split(',').map((size) => wholeNumber('sizes', size, 1));
const only = new Set(namesOf('only', ['codec', 'stack', 'pair']));
const modes = namesOf('modes', ['raw', 'own']);

function namesOf(name: 'only' | 'modes', known: readonly string[]): readonly string[] {
  const names = values[name].split(',');
  const unknown = names.find((one) => !known.includes(one));
  return unknown === undefined ? names : refuse(`--${name}: '${unknown}' is none of ${known.join(', ')}`);
}
if (only.has('codec')) print('codec', measureCodec(seconds * 1000));
if (only.has('stack')) print('stack to stack, no sockets', measureStack(seconds * 1000));
if (only.has('pair')) {
  print('two processes on loopback', await measurePairs(sizes, modes, messages, runs));
}

function print(title: string, rows: readonly Record<string, string | number>[]): void {
  console.log(`\n${title}`);
  console.table(rows);
}
