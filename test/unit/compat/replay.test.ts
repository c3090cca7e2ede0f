import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import test from 'ava';

import { UnreadableCaptureError } from '../../../src/compat/replay/replay-capture.ts';
import { TruthError } from '../../../src/compat/replay/truth.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { atSecond, fileOf, packetsOf, withByte } from './capture-parts.ts';
import {
  capturesIn,
  editTruth,
  eventsOf,
  FIXTURES,
  replayBytes,
  replayFile,
  truthBeside,
  type TruthEvent,
} from './replay-fixtures.ts';

/** Recorded traffic through the production stack, and what a replay says of traffic that does not fit. */

const unicast = join(FIXTURES, '3.6.14/unicast/capture.pcap');
const loss = join(FIXTURES, '3.6.14/loss/capture.pcap');
const fileOfUnicast = readFileSync(unicast);
const truthOfUnicast = truthBeside(unicast) ?? '';

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex').slice(0, 16);
}

function middle(events: readonly TruthEvent[]): { label: unknown; length: number; sha: unknown } {
  const event = events[Math.floor(events.length / 2)];
  return { label: event?.['label'], length: Number(event?.['len']), sha: event?.['sha'] };
}

const folders = [FIXTURES, process.env['ROLLGATE_CAPTURES'] ?? ''].filter((folder) => folder !== '');
for (const folder of folders) {
  for (const file of capturesIn(folder)) {
    test(`replay holds: ${relative(folder, dirname(file))}${folder === FIXTURES ? '' : ' (captures)'}`, async (t) => {
      const result = await replayFile(file);
      const { datagrams, undecodable, reencodedIdentical, missing, extra, outOfOrder, replies } = result;
      t.deepEqual(result.problems, []);
      t.true(result.ok);
      t.true(datagrams > 0);
      t.deepEqual({ undecodable, reencodedIdentical }, { undecodable: 0, reencodedIdentical: datagrams });
      t.deepEqual({ missing, extra, outOfOrder }, { missing: 0, extra: 0, outOfOrder: 0 });
      t.is(result.delivered, result.expected);
      if (result.replay === 'decode-only') t.regex(result.reason ?? '', /2\.12/);
      else t.true(result.delivered > 0 && (replies?.agree ?? 0) > 0);
    });
  }
}

test('the stack without multicast is replayed in full, and counted', async (t) => {
  const result = await replayFile(unicast);
  t.is(result.replay, 'full');
  t.is(result.delivered, truthOfUnicast.match(/"ev": ?"deliver"/g)?.length ?? 0);
  t.deepEqual(result.replies?.wrong, []);
});

test('what a receiver threw away does not reach the stack: it has to ask again', async (t) => {
  const { replies, delivered, expected } = await replayFile(loss);
  t.is(delivered, expected);
  t.true((replies?.agree ?? 0) >= 3, 'acks both ways, and the gap requests');
  // every copy of one message dropped: it can never be delivered, nor can what is behind it
  const original = readFileSync(loss);
  const truth = truthBeside(loss) ?? '';
  const { length, sha } = middle(eventsOf(truth).filter(({ ev, dest }) => ev === 'send' && dest === 'p1'));
  const copies = packetsOf(original)
    .map(({ bytes }) => bytes.subarray(16 + 14 + 20 + 8))
    .filter((bytes) => sha1(bytes.subarray(bytes.length - length)) === sha);
  const t0 = eventsOf(truth).at(-1)?.t;
  const drops = copies.map((bytes) =>
    JSON.stringify({ t: t0, peer: 'p1', ev: 'rx-dropped', sha: sha1(bytes) }),
  );
  const result = await replayBytes(original, [truth.trimEnd(), ...drops].join('\n'));
  t.false(result.ok);
  t.true(copies.length > 0 && result.missing > 1);
  t.deepEqual([result.extra, result.outOfOrder], [0, 0]);
});

// --- deliveries that differ --------------------------------------------------------------------------------

/** What p1 delivered of p0: messages with an order, and those without. */
const delivered = eventsOf(truthOfUnicast).filter(({ ev, label }) => ev === 'deliver' && Number(label) > 0);
const ordered = delivered.filter(({ peer, flags }) => peer === 'p1' && flags === 'DONT_BUNDLE');
const unordered = delivered.filter(({ peer, flags }) => peer === 'p0' && String(flags).startsWith('OOB'));
const one = middle(ordered);
const isOne = (event: TruthEvent): boolean => event.ev === 'deliver' && event['label'] === one.label;

test('a message that the member did not deliver is extra', async (t) => {
  const truth = editTruth(truthOfUnicast, (event) => (isOne(event) ? [] : [event]));
  const { ok, missing, extra, outOfOrder, problems } = await replayBytes(fileOfUnicast, truth);
  t.deepEqual({ ok, missing, extra, outOfOrder }, { ok: false, missing: 0, extra: 1, outOfOrder: 0 });
  t.regex(problems[0] ?? '', /p1 from p0: 0 missing, 1 extra/);
});

test('a message that only the member delivered is missing, a second copy as well', async (t) => {
  const truth = editTruth(truthOfUnicast, (event) => (isOne(event) ? [event, event] : [event]));
  const { ok, missing, extra, outOfOrder } = await replayBytes(fileOfUnicast, truth);
  t.deepEqual({ ok, missing, extra, outOfOrder }, { ok: false, missing: 1, extra: 0, outOfOrder: 0 });
});

test('another order is told, but not of messages that have none', async (t) => {
  const swapped = ([first, second]: readonly TruthEvent[]): string =>
    editTruth(truthOfUnicast, (event) => {
      if (first === undefined || second === undefined || event.ev !== 'deliver') return [event];
      if (event['label'] === first['label']) return [{ ...second, t: event.t }];
      return event['label'] === second['label'] ? [{ ...first, t: event.t }] : [event];
    });
  const inOrder = await replayBytes(fileOfUnicast, swapped(ordered.slice(3, 5)));
  t.deepEqual([inOrder.missing, inOrder.extra, inOrder.outOfOrder], [0, 0, 1]);
  const oob = await replayBytes(fileOfUnicast, swapped(unordered.slice(0, 2)));
  t.true(unordered.length > 1);
  t.deepEqual([oob.ok, oob.outOfOrder], [true, 0]);
});

test('a damaged payload is another message', async (t) => {
  const packets = packetsOf(fileOfUnicast);
  const at = packets.findIndex(({ bytes }) => sha1(bytes.subarray(bytes.length - one.length)) === one.sha);
  const damaged = packets.map((packet, i) => (i === at ? withByte(packet, -1, (byte) => byte ^ 1) : packet));
  const { ok, missing, extra, undecodable } = await replayBytes(
    fileOf(fileOfUnicast, damaged),
    truthOfUnicast,
  );
  t.deepEqual({ ok, missing, extra, undecodable }, { ok: false, missing: 1, extra: 1, undecodable: 0 });
});

test('a damaged header is told with its frame', async (t) => {
  const packets = packetsOf(fileOfUnicast);
  const flags = 14 + 20 + 8 + 3;
  const damaged = packets.map((packet, i) => (i === 2 ? withByte(packet, flags, () => 0x77) : packet));
  const result = await replayBytes(fileOf(fileOfUnicast, damaged), null);
  t.false(result.ok);
  t.is(result.undecodable, 1);
  t.true(
    result.problems.some((problem) => problem.startsWith('frame 3: ')),
    result.problems.join('\n'),
  );
});

// --- captures as they come -----------------------------------------------------------------------------------

test('without truth the rules of the wire judge', async (t) => {
  const { ok, replay, reason, delivered, expected } = await replayBytes(fileOfUnicast, null);
  t.deepEqual({ ok, replay }, { ok: true, replay: 'self-checked' });
  t.regex(reason ?? '', /no truth\.jsonl/);
  t.is(delivered, expected);
  t.true(delivered > 20);
});

test('any piece of a capture holds: conversations under way, datagrams that were not captured', async (t) => {
  const rng = seededRng(7);
  let adopted = 0;
  for (const file of capturesIn(join(FIXTURES, '3.6.14'))) {
    const original = readFileSync(file);
    const packets = packetsOf(original);
    for (let run = 0; run < 6; run++) {
      const start = below(rng, packets.length - 1);
      const share = run % 2 === 0 ? 1 : 0.9;
      const piece = packets.slice(start).filter(() => rng.next() < share);
      const result = await replayBytes(fileOf(original, piece), null);
      if (result.datagrams === 0) continue;
      t.deepEqual(result.problems, [], `${file} from ${start}`);
      if (result.notes.some((note) => note.includes('began before the capture'))) adopted++;
    }
  }
  t.true(adopted > 3);
});

test('a clock that jumps by decades costs no time', async (t) => {
  const packets = packetsOf(fileOfUnicast).map((packet, i) => (i < 5 ? atSecond(packet, 1) : packet));
  const { delivered, expected, ok } = await replayBytes(fileOf(fileOfUnicast, packets), null, {
    loss: 0,
    reorder: 0,
    duplicate: 0,
    seed: 1,
  });
  t.true(ok);
  t.is(delivered, expected);
});

test('a file that was cut off is replayed as far as it goes, and does not hold', async (t) => {
  const { ok, problems, datagrams } = await replayBytes(fileOfUnicast.subarray(0, 3000), null);
  t.false(ok);
  t.true(datagrams > 3);
  t.regex(problems.join('\n'), /damaged, or was cut off/);
});

test('what is no capture is refused; an empty one has nothing to check', async (t) => {
  await t.throwsAsync(replayBytes(Buffer.from('no capture at all, only text'), null), {
    instanceOf: UnreadableCaptureError,
  });
  await t.throwsAsync(replayBytes(Buffer.alloc(0), null), { instanceOf: UnreadableCaptureError });
  const { ok, replay, problems } = await replayBytes(fileOf(fileOfUnicast, []), null);
  t.deepEqual({ ok, replay }, { ok: false, replay: 'decode-only' });
  t.deepEqual(problems, ['there is nothing in it to check']);
});

test('damaged bytes never crash it', async (t) => {
  const rng = seededRng(11);
  for (let run = 0; run < 150; run++) {
    const bytes = Buffer.from(fileOfUnicast);
    for (let i = 0; i < 1 + below(rng, 30); i++) bytes[24 + below(rng, bytes.length - 24)] = below(rng, 256);
    await replayBytes(bytes, run % 2 === 0 ? truthOfUnicast : null);
  }
  t.pass();
});

test('a truth with a line that is none is refused; one cut off at the end is not', async (t) => {
  const lines = truthOfUnicast.trimEnd().split('\n');
  const broken = [...lines.slice(0, 3), '{"t":', ...lines.slice(3)].join('\n');
  await t.throwsAsync(replayBytes(fileOfUnicast, broken), {
    instanceOf: TruthError,
    message: 'truth.jsonl, line 4: this is no JSON',
  });
  await t.throwsAsync(replayBytes(fileOfUnicast, `[]\n${truthOfUnicast}`), {
    message: 'truth.jsonl, line 1: no object with a time t',
  });
  t.true((await replayBytes(fileOfUnicast, `${truthOfUnicast.trimEnd()}\n{"t": 17, "pe`)).ok);
});

// --- faults ----------------------------------------------------------------------------------------------------

test('on a bad network every message is repaired, the same way for the same seed', async (t) => {
  const faults = { loss: 0.2, reorder: 0.1, duplicate: 0.1, seed: 7 };
  const { ok, faults: result } = await replayFile(loss, faults);
  t.true(ok);
  t.true(result !== undefined && result.lost > 0 && result.repaired > 0);
  t.deepEqual([result?.missing, result?.extra, result?.outOfOrder], [0, 0, 0]);
  t.is(result?.delivered, result?.expected);
  t.regex(result?.verdict ?? '', /would have lost nothing: \d+ messages? (was|were) repaired, .*after \d/);
  t.deepEqual((await replayFile(loss, faults)).faults, result);
  const other = (await replayFile(loss, { ...faults, seed: 8 })).faults;
  t.notDeepEqual({ ...other, faults }, { ...result, faults });
});

test('who was killed may miss messages, and unreliable ones are told apart', async (t) => {
  const files = capturesIn(join(FIXTURES, '3.6.14'));
  for (let seed = 1; seed <= 10; seed++) {
    for (const file of files) {
      const { replay, faults } = await replayFile(file, { loss: 0.4, reorder: 0.3, duplicate: 0.3, seed });
      if (replay !== 'decode-only') t.true(faults?.ok, `${file} ${seed}: ${faults?.verdict ?? ''}`);
    }
  }
});
