/** Network namespaces: what they lose, cut off and leave behind. Skipped where they cannot be had. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import test from 'ava';

import { createLab, type Host, whyNoLab } from '../../scripts/conformance/lab.ts';

const COUNT = 200;
/** In which all have arrived that are not lost. */
const LIMIT_MS = 4_000;
const reason = await whyNoLab();
const labTest = reason === null ? test.serial : test.serial.skip;
const suffix = reason === null ? '' : ` (skipped: ${reason})`;

const RECEIVER = `
  const [host, most] = process.argv.slice(1);
  let count = 0;
  const end = () => { console.log(count); process.exit(); };
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (message) => { if (String(message) === 'end') end(); else count++; });
  socket.bind(4444, host, () => console.log('up'));
  setTimeout(end, Number(most));`;

/** The last one is sent many times: it may be lost too. */
const SENDER = `
  const [host, count] = process.argv.slice(1);
  const socket = require('node:dgram').createSocket('udp4');
  let sent = 0;
  const next = () => {
    if (sent > Number(count) + 40) return socket.close();
    socket.send(sent++ < Number(count) ? 'x' : 'end', 4444, host, () => setImmediate(next));
  };
  next();`;

function run(host: Host, ...args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const [program = '', ...rest] = [...host.wrapper, process.execPath, '-e', ...args];
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Sends datagrams from one host to another and says how many arrived. */
async function exchange(from: Host, to: Host): Promise<number> {
  const receiver = run(to, RECEIVER, to.address, String(LIMIT_MS));
  const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
  await lines.next(); // it is bound
  run(from, SENDER, to.address, String(COUNT));
  return Number((await lines.next()).value);
}

labTest(`a share of the datagrams is lost, or none, or all of a host that is cut off${suffix}`, async (t) => {
  const clean = await createLab(2, 0);
  const [a, b] = clean.hosts as [Host, Host];
  t.is(await exchange(a, b), COUNT);
  t.is(await clean.lost(), 0);
  await clean.setCutOff([b], true);
  t.is(await exchange(a, b), 0);
  await clean.setCutOff([b], false);
  t.is(await exchange(b, a), COUNT);
  await clean.close();

  const lossy = await createLab(2, 0.2);
  const [c, d] = lossy.hosts as [Host, Host];
  const arrived = await exchange(c, d);
  t.true(arrived > COUNT * 0.6 && arrived < COUNT * 0.95, `${arrived} of ${COUNT} arrived`);
  t.true((await lossy.lost()) > COUNT * 0.05);
  await lossy.close();
});

labTest(`nothing is left of a lab that is closed, and this host keeps its interfaces${suffix}`, async (t) => {
  const before = readFileSync('/proc/net/dev', 'utf8').split('\n').length;
  const lab = await createLab(2, 0);
  t.is(readFileSync('/proc/net/dev', 'utf8').split('\n').length, before);
  const holders = lab.hosts.map(({ wrapper }) => /\/proc\/\d+/.exec(wrapper.join(' '))?.[0] ?? '');
  t.true(holders.every((holder) => existsSync(holder)));
  await lab.close();
  t.false(holders.some((holder) => existsSync(holder)));
});
