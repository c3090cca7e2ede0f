import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import { format, resolveConfig } from 'prettier';

import { AckCounter, isAck, SendWindow } from '../../scripts/bench/tcp/ack-window.ts';
import { CrowdEngine } from '../../scripts/bench/harness/crowd.ts';
import { writeDocuments } from '../../scripts/bench/harness/documents.ts';
import { parseOptions } from '../../scripts/bench/harness/options.ts';
import { summarize } from '../../scripts/bench/harness/statistics.ts';
import { Teams } from '../../scripts/bench/harness/team.ts';
import type { Engine } from '../../scripts/bench/harness/worker.ts';
import { tcpCases } from '../../scripts/bench/tcp/cases.ts';
import { TCP_DOCUMENT } from '../../scripts/bench/tcp/document.ts';
import { FrameReader } from '../../scripts/bench/tcp/frame-reader.ts';
import { NO_RIVALS } from '../../scripts/bench/tcp/rivals.ts';
import { messagesATurn } from '../../scripts/bench/tcp/turn.ts';

test('raw frames are the same however they are chunked', (t) => {
  const payloads = ['a', '', 'bcd', 'x'.repeat(300)];
  const stream = Buffer.concat(
    payloads.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length, 0);
      return [length, Buffer.from(text)];
    }),
  );
  for (const size of [1, 2, 3, 5, 7, 100, stream.length]) {
    const seen: string[] = [];
    const reader = new FrameReader((payload) => seen.push(Buffer.from(payload).toString()));
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    t.deepEqual(seen, payloads, `chunks of ${size}`);
  }
});

test('each member of a crowd knows the sender and itself, and its messages are told apart', async (t) => {
  const views: (readonly string[])[] = [];
  const engines = ['b', 'c'].map((uuid): Engine => ({
    onMessage: () => undefined,
    start: () => Promise.resolve({ uuid, port: 1 }),
    installView: (_id, members) => void views.push(members),
    send: () => Promise.resolve(),
    sendOne: () => undefined,
    drain: () => Promise.resolve(uuid === 'b'),
  }));
  const crowd = new CrowdEngine(engines);
  const { members } = await crowd.start();
  t.deepEqual(members, [
    { uuid: 'b', port: 1 },
    { uuid: 'c', port: 1 },
  ]);
  await crowd.installView(1, ['h:1:0:a', 'h:2:0:b', 'h:3:0:c']);
  t.deepEqual(views, [
    ['h:1:0:a', 'h:2:0:b'],
    ['h:1:0:a', 'h:3:0:c'],
  ]);
  const heard: number[] = [];
  crowd.onMessage = (_payload, _from, to = -1) => heard.push(to);
  for (const engine of engines) engine.onMessage(Buffer.alloc(1), 'a');
  t.deepEqual(heard, [0, 1]);
  t.false(await crowd.drain(1));
});

test('cases have names of their own, and rivals are sides only where they are to be had', (t) => {
  const teams = new Teams(() => Promise.reject(new Error('no process is started here')));
  const casesWith = (packages: string | null, natsServer: string | null) =>
    tcpCases({
      teams,
      programs: { ownOptions: {}, nodeFlags: [], rivals: { ...NO_RIVALS, packages, natsServer } },
      quick: true,
      messages: null,
    });
  const names = casesWith(null, null).flatMap(({ results }) => results.map(({ name }) => name));
  t.is(new Set(names).size, names.length);
  const sidesOf = (cases: ReturnType<typeof tcpCases>): string[] => Object.keys(cases[0]?.sides ?? {});
  t.deepEqual(sidesOf(casesWith(null, null)), ['ours', 'jvm', 'raw']);
  t.deepEqual(sidesOf(casesWith('/p', null)), ['ours', 'jvm', 'raw', 'zeromq']);
  t.deepEqual(sidesOf(casesWith('/p', '/s')), ['ours', 'jvm', 'raw', 'zeromq', 'nats']);
  t.true(parseOptions(['--without-rivals']).withoutRivals);
});

test('a turn is a quarter of a mebibyte, and one message at least', (t) => {
  t.deepEqual([100, 1_024, 1_048_576].map(messagesATurn), [2_621, 256, 1]);
});

test('a window is bounded in messages and bytes, and opens by acks', async (t) => {
  const window = new SendWindow(500);
  const fill = (): number => {
    let sent = 0;
    for (; !window.isFull; sent++) window.handleSent();
    return sent;
  };
  window.begin(1_024);
  t.is(fill(), 500);
  const counter = new AckCounter();
  const acks = Array.from({ length: 500 }, () => counter.handle(1_024)).filter((ack) => ack !== null);
  t.deepEqual(
    acks.map((ack) => ack.readUInt32BE(0)),
    [64, 128, 192, 256, 320, 384, 448],
  );
  t.true(acks.every(isAck));
  let hasRoom = false;
  const room = window.room().then(() => (hasRoom = true));
  for (const ack of acks) window.handleAck(ack);
  await room;
  t.true(hasRoom);
  t.is(fill(), 448, 'what is not acknowledged is on its way');
  window.begin(1_048_576);
  t.is(fill(), 8, 'a new measurement begins with nothing on its way, and is bounded in bytes');
  t.is(counter.handle(1_048_576)?.readUInt32BE(0), 501, 'a large one is acknowledged at once');
});

test('a full run finds its place in the README, also when a rival failed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'rollgate-bench-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'README.md'), readFileSync(new URL('../../README.md', import.meta.url)));
  const teams = new Teams(() => Promise.reject(new Error('no process is started here')));
  const programs = { ownOptions: {}, nodeFlags: [], rivals: NO_RIVALS };
  const [bench] = tcpCases({ teams, programs, quick: false, messages: null });
  if (bench === undefined) throw new Error('no case');
  const samples = [
    { metrics: { rate: 1_000 }, messages: 1_000, cpuSeconds: 1, residentBytes: 1e6, drops: 0 },
  ];
  const side = summarize(samples);
  const broken = { zeromq: 'nothing came for 30 s after 5 of 10 messages' };
  const results = [{ bench, sides: { ours: side, raw: side, jvm: side }, broken }];
  t.is(writeDocuments(root, TCP_DOCUMENT, results, { runs: 5 }).length, 4);
  const house = await resolveConfig(fileURLToPath(new URL('../../README.md', import.meta.url)));
  for (const path of ['README.md', 'docs/bench-tcp.md']) {
    const text = readFileSync(join(root, path), 'utf8');
    t.is(await format(text, { ...house, parser: 'markdown' }), text, `${path} is formatted`);
    t.regex(text, /\| oneway-1024 +\| +1,000 \| +1,000 \| +1,000 \|/);
  }
  t.regex(
    readFileSync(join(root, 'docs/bench-tcp.md'), 'utf8'),
    /\| zeromq +\| .*failed: nothing came for 30 s after 5 of 10 messages/,
  );
});
