/**
 * `npm run bench:hot-path -- --seconds 0.5 --only codec,stack,pair --sizes 100,1024`: what a message costs the legacy
 * stack, in processor time: its codec, the stack without sockets, and two messengers in two processes beside plain
 * node:dgram doing the same work in the same run. About 20 seconds as it stands.
 */

import { parseArgs } from 'node:util';

import { measureCodec } from './hot-path/codec.ts';
import { measurePairs } from './hot-path/pair.ts';
import { measureStack } from './hot-path/stack.ts';

const { values } = parseArgs({
  options: {
    /** Of each measurement, after it has warmed up. */
    seconds: { type: 'string', default: '0.4' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: 'codec,stack,pair' },
    sizes: { type: 'string', default: '100,1024,65536,1048576' },
    /** Of each pair, half of them to warm up. */
    messages: { type: 'string', default: '80000' },
    modes: { type: 'string', default: 'raw,own' },
  },
});
const seconds = Number(values.seconds);
const runs = Number(values.runs);
const sizes = values.sizes.split(',').map(Number);
const only = new Set(values.only.split(','));

if (only.has('codec')) print('codec', measureCodec(seconds * 1000));
if (only.has('stack')) print('stack to stack, no sockets', measureStack(seconds * 1000));
if (only.has('pair')) {
  print(
    'two processes on loopback',
    await measurePairs(sizes, values.modes.split(','), Number(values.messages), runs),
  );
}

function print(title: string, rows: readonly Record<string, string | number>[]): void {
  console.log(`\n${title}`);
  console.table(rows);
}
