import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { CaptureRecords } from '../../../src/compat/capture-records.ts';
import { type Inspection, Inspector } from '../../../src/compat/inspect/inspector.ts';
import * as limits from '../../../src/compat/inspect/limits.ts';
import { Timeline } from '../../../src/compat/inspect/timeline.ts';
import { address, label, START, Story } from './inspect-records.ts';

/** Stories that are told by hand, and those of real peers. */

async function inspectFixture(scenario: string): Promise<Inspection> {
  const file = fileURLToPath(
    new URL(`../../../compat-fixtures/3.6.14-decoded/${scenario}/capture.pcap`, import.meta.url),
  );
  const [capture, inspector] = [new CaptureRecords(), new Inspector()];
  for await (const chunk of createReadStream(file)) {
    for (const record of capture.push(chunk as Buffer)) inspector.add(record);
  }
  for (const record of capture.end()) inspector.add(record);
  return inspector.finish(scenario, capture.skipped.counts);
}

test('a quiet conversation has nothing to tell', (t) => {
  const told = new Story().data(0, 'A', 'B', 1).data(0.1, 'A', 'B', 2).ack(0.4, 'B', 'A', 2).inspect();
  const { report } = told;
  t.deepEqual(report.verdict, { level: 'clean', text: 'No loss was seen.' });
  t.true(report.ok);
  t.deepEqual(report.anomalies, []);
  const pair = told.pair('A', 'B');
  t.is(pair.messages, 2);
  t.is(pair.bytes, 200);
  t.is(pair.acks, 1);
  t.is(pair.unacknowledged, 0);
  t.deepEqual(pair.ackLatency, { count: 1, mean: 0.3, max: 0.3 });
  t.deepEqual(
    report.members.map(({ label: name, versions, clusters }) => [name, versions, clusters]),
    [
      [label('A'), { '3.6.14': 2 }, ['AG']],
      [label('B'), { '3.6.14': 1 }, ['AG']],
    ],
  );
});

test('a message that is asked for and sent again is one loss, repaired', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .data(0.1, 'A', 'B', 2)
    .data(0.2, 'A', 'B', 3)
    .ask(1, 'B', 'A', 2)
    .data(1.05, 'A', 'B', 2)
    .ack(1.5, 'B', 'A', 3)
    .inspect();
  const pair = told.pair('A', 'B');
  t.is(pair.gaps, 1);
  t.is(pair.retransmissions, 1);
  t.is(pair.answered, 1);
  t.is(pair.unrepaired, 0);
  t.is(pair.messages, 3);
  t.deepEqual(pair.askers, { [label('B')]: 1 });
  t.deepEqual(pair.repair, { count: 1, mean: 0.05, max: 0.05 });
  t.deepEqual(pair.delay, { count: 1, mean: 0.95, max: 0.95 });
  t.is(told.report.verdict.level, 'repaired');
  t.is(told.one('loss').n, 4);
  const lost = told.inspection.diagrams[0]?.steps.filter((step) => 'lost' in step && step.lost);
  t.deepEqual(
    lost?.map((step) => 'label' in step && step.label),
    ['#2 100 B'],
  );
});

test('a hole in the capture counts from when it was seen until it was closed', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .data(0.2, 'A', 'B', 3)
    .ask(1, 'B', 'A', 2)
    .data(1.1, 'A', 'B', 2)
    .ack(1.5, 'B', 'A', 3)
    .inspect();
  const pair = told.pair('A', 'B');
  t.is(pair.gaps, 1);
  t.is(pair.messages, 3, 'its first copy is not in the capture');
  t.deepEqual(pair.repair, { count: 1, mean: 0.9, max: 0.9 });
});

test('who has to ask three times had two answers lost', (t) => {
  const story = new Story();
  for (let seqno = 1; seqno <= 15; seqno++) story.data(seqno / 100, 'A', 'B', seqno);
  story.ask(1, 'B', 'A', 14).data(1.01, 'A', 'B', 14);
  story.ask(1.5, 'B', 'A', 14).data(1.51, 'A', 'B', 14);
  story.ask(2, 'B', 'A', 14).data(2.01, 'A', 'B', 14).ack(2.5, 'B', 'A', 15);
  const told = story.inspect();
  const { text, severity, pair, n } = told.one('asked-again');
  t.is(
    text,
    '10.0.0.1:41001 asked 3 times for message 14 of 10.0.0.1:41000: the first two answers were lost. ' +
      'It was repaired 1.01 s after the first sign.',
  );
  t.is(severity, 'warning');
  t.is(pair, told.pair('A', 'B').id);
  t.is(n, 20);
  t.is(told.pair('A', 'B').gaps, 1);
  t.true(told.report.ok);
});

test('a request without an answer is a problem, unless the capture ends there', (t) => {
  const story = (end: number): Story =>
    new Story().data(0, 'A', 'B', 1).data(0.1, 'A', 'B', 2).ask(1, 'B', 'A', 1).until(end);
  const lost = story(10).inspect();
  t.is(lost.one('never-repaired').severity, 'error');
  t.is(lost.pair('A', 'B').unrepaired, 1);
  t.false(lost.report.ok);
  t.is(lost.report.verdict.level, 'trouble');
  t.true(story(1.5).inspect().report.ok);
});

test('what nobody missed was missed by the capture only', (t) => {
  const told = new Story().data(0, 'A', 'B', 1).data(0.1, 'A', 'B', 3).ack(0.5, 'B', 'A', 3).inspect();
  const pair = told.pair('A', 'B');
  t.is(pair.notCaptured, 1);
  t.is(pair.gaps, 0);
  t.is(told.one('capture').severity, 'note');
});

test('a message that is overtaken is not lost', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .data(0.1, 'A', 'B', 3)
    .data(0.11, 'A', 'B', 2)
    .ack(0.5, 'B', 'A', 3)
    .inspect();
  const pair = told.pair('A', 'B');
  t.is(pair.overtaken, 1);
  t.is(pair.gaps, 0);
  t.is(pair.retransmissions, 0);
  t.is(told.report.verdict.level, 'clean');
});

test('copies of what has arrived are duplicates', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .data(0.001, 'A', 'B', 1)
    .ack(0.4, 'B', 'A', 1)
    .data(0.9, 'A', 'B', 1)
    .inspect();
  t.is(told.pair('A', 'B').duplicates, 2);
  t.is(told.pair('A', 'B').retransmissions, 0);
  t.is(told.one('duplicates').severity, 'note');
});

test('a last message that nobody acknowledges tells that its recipient is gone', (t) => {
  const story = new Story().data(0, 'A', 'B', 1);
  for (let i = 1; i <= 6; i++) story.data(i / 2, 'A', 'B', 1);
  const { text, severity } = story.until(9).inspect().one('unacknowledged');
  t.is(severity, 'error');
  t.is(
    text,
    '10.0.0.1:41000 sent its last message to 10.0.0.1:41001, number 1, 6 times more within 3 s, ' +
      'and it was never acknowledged in this capture.',
  );
  const late = new Story().data(0, 'A', 'B', 1);
  for (let i = 1; i <= 6; i++) late.data(i / 2, 'A', 'B', 1);
  t.is(late.ack(3.1, 'B', 'A', 1).inspect().one('unacknowledged').severity, 'warning');
});

test('credits that come late are a stall, and that never come a problem', (t) => {
  const story = new Story()
    .data(0, 'A', 'B', 1)
    .credits(5, 'A', 'B', 2, 'CREDIT_REQUEST')
    .credits(5.5, 'A', 'B', 2, 'CREDIT_REQUEST')
    .credits(7, 'B', 'A', 1, 'REPLENISH')
    .inspect();
  const { stalls, replenishes } = story.pair('A', 'B');
  t.deepEqual(stalls, { count: 1, mean: 2, max: 2, open: 0 });
  t.is(replenishes, 1);
  t.is(
    story.one('credit-stall').text,
    '10.0.0.1:41000 ran out of UFC credits for 10.0.0.1:41001 and asked once for more; they came 2 s later. ' +
      'It had sent nothing there for 5 s before.',
  );
  const never = new Story().data(0, 'A', 'B', 1).credits(5, 'A', 'B', 2, 'CREDIT_REQUEST').inspect();
  t.is(never.one('credit-stall').severity, 'error');
  t.is(never.pair('A', 'B').stalls.open, 1);
});

test('a fragmented message is complete, or it is told what is missing', (t) => {
  const story = new Story();
  for (let i = 0; i < 3; i++) story.fragment(i / 100, 'A', 'B', i + 1, 7, i, 3);
  story.fragment(1, 'A', 'B', 4, 8, 0, 3).fragment(1, 'A', 'B', 5, 8, 2, 3).until(10);
  const told = story.inspect();
  t.deepEqual(told.pair('A', 'B').fragmented, { complete: 1, incomplete: 1 });
  const { text, severity } = told.one('fragments');
  t.is(severity, 'error');
  t.true(text.includes('2 of 3 fragments (missing 2)'), text);
});

test('a receiver that lost the first message asks to begin again', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 5)
    .message(0.1, 'B', 'A', [{ protocol: 'UNICAST3', type: 'SEND_FIRST_SEQNO', timestamp: 1 }])
    .data(0.2, 'A', 'B', 5, { first: true })
    .ack(0.6, 'B', 'A', 5)
    .inspect();
  t.is(told.one('first-message').severity, 'warning');
  const pair = told.pair('A', 'B');
  t.is(pair.firstSeqnoRequests, 1);
  t.deepEqual(pair.firstRepair, { count: 1, mean: 0.1, max: 0.1 });
});

test('a new connection id, and a close', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .message(1, 'A', 'B', [{ protocol: 'UNICAST3', type: 'CLOSE', connId: 0 }], { length: null })
    .data(2, 'A', 'B', 1, { connId: 3 })
    .ack(2.2, 'B', 'A', 1, 0)
    .ack(2.5, 'B', 'A', 1, 3)
    .inspect();
  const pair = told.pair('A', 'B');
  t.is(pair.connections, 2);
  t.is(pair.closes, 1);
  t.is(pair.acks, 1, 'an acknowledgement of the old connection says nothing');
  t.true(
    told
      .one('new-connection')
      .text.includes('(id 0, then 3), with 1 message of the old one not acknowledged'),
  );
  t.is(told.all('closed-connection').length, 1);
});

test('group messages without IP multicast are followed per recipient', (t) => {
  const told = new Story()
    .group(0, 'A', 'B', 1)
    .group(0, 'A', 'C', 1)
    .group(0.1, 'A', 'B', 2)
    .group(0.1, 'A', 'C', 2)
    .groupAsk(1, 'C', 'A', 1)
    .groupAnswer(1.1, 'A', 'C', 1)
    .until(5)
    .inspect();
  t.is(told.pair('A', 'B', 'group').gaps, 0);
  const pair = told.pair('A', 'C', 'group');
  t.is(pair.gaps, 1);
  t.is(pair.messages, 2);
  t.deepEqual(pair.askers, { [label('C')]: 1 });
  t.is(told.report.members.length, 3, 'the endpoints of B and C turned out to be these members');
});

test('group messages by IP multicast have one recipient, the group, and many who ask', (t) => {
  const told = new Story()
    .group(0, 'A', null, 1)
    .group(0.1, 'A', null, 2)
    .groupAsk(1, 'C', 'A', 1)
    .groupAsk(1, 'B', 'A', 1)
    .groupAnswer(1.1, 'A', 'C', 1)
    .groupAnswer(1.1, 'A', 'B', 1)
    .until(5)
    .inspect();
  const pair = told.pair('A', 'group 228.6.7.8:45588', 'group');
  t.deepEqual(pair.askers, { [label('B')]: 1, [label('C')]: 1 });
  t.is(pair.gaps, 1);
  t.is(pair.unrepaired, 0);
});

test('views are listed once, with what they change, and who crashed is told', (t) => {
  const member = (peer: 'A' | 'B' | 'C'): unknown => ({
    uuid: peer.toLowerCase().repeat(32),
    host: '10.0.0.1',
    membershipPort: 1,
    name: `node ${peer}`,
    version: 150,
  });
  const view = (
    viewId: number,
    members: readonly unknown[],
    crashedMembers: readonly unknown[] = [],
  ): object => ({
    geode: {
      class: 'InstallView',
      ordinal: 150,
      fields: { view: { viewId, creator: member('A'), members, crashedMembers } },
    },
  });
  const told = new Story()
    .data(0, 'A', 'B', 1, view(1, [member('A'), member('B'), member('C')]))
    .data(0, 'A', 'C', 1, view(1, [member('A'), member('B'), member('C')]))
    .data(5, 'A', 'B', 2, view(2, [member('A'), member('B')], [member('C')]))
    .inspect();
  t.deepEqual(
    told.report.views.map(({ id, creator, size, joined, left }) => ({ id, creator, size, joined, left })),
    [
      { id: 1, creator: label('A'), size: 3, joined: [], left: [] },
      { id: 2, creator: label('A'), size: 2, joined: [], left: [label('C')] },
    ],
  );
  t.is(told.one('member-gone').text, 'View 2 drops 10.0.0.1:41002 as crashed.');
  t.is(told.report.members[0]?.geodeRelease, '1.15.0');
  t.is(told.report.members[1]?.name, 'node B');
});

test('a census tells what mixed versions mean', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .data(0, 'B', 'A', 1, { version: '3.6.20' })
    .data(0, 'C', 'A', 1, { version: '2.12.2' })
    .inspect();
  t.deepEqual(
    told.report.versions.map(({ version, members }) => [version, members]),
    [
      ['3.6.14', 1],
      ['3.6.20', 1],
      ['2.12.2', 1],
    ],
  );
  t.is(told.one('versions').severity, 'warning');
});

test('a second member on the same port is told apart', (t) => {
  const told = new Story()
    .data(0, 'A', 'B', 1)
    .data(1, 'A', 'B', 1, { src: address('A', 'f'.repeat(32)) })
    .inspect();
  t.true(told.one('restarted').text.includes('10.0.0.1:41000#2'));
  t.is(told.report.pairs.length, 2);
});

test('what does not decode, and a capture without messages, are not ok', (t) => {
  const broken = new Inspector();
  const where = { transport: 'udp', from: '10.0.0.1:1', to: '10.0.0.1:2' } as const;
  const error = { code: 'ERR_TRUNCATED', offset: 12, field: 'message.headers' } as const;
  broken.add({ kind: 'error', n: 1, ts: START, ...where, error });
  const { report } = broken.finish('x', new Map());
  t.false(report.ok);
  t.is(report.undecodable, 1);
  t.is(report.verdict.level, 'empty');
  t.true(report.anomalies[0]?.text.startsWith('Frame 1 from 10.0.0.1:1 to 10.0.0.1:2 does not decode'));
});

test('whatever a capture holds, what is kept of it is bounded', (t) => {
  const inspector = new Inspector();
  const story = new Story();
  for (let i = 0; i < 3000; i++) {
    const uuid = i.toString(16).padStart(32, '0');
    story.records.length = 0;
    story.data(i, 'A', 'B', 1 + i * 1000, { src: address('A', uuid), first: true });
    story.data(i, 'C', 'B', 1 + i * 1_000_000_000, { connId: i % 100, first: true });
    story.fragment(i, 'C', 'A', i + 1, i, 0, 2_000_000_000);
    story.ask(i, 'B', 'C', ...Array.from({ length: 50 }, (_, k) => i * 50 + k));
    story.credits(i, 'C', 'B', 5, 'CREDIT_REQUEST');
    for (const record of story.records) inspector.add(record);
  }
  const { report, diagrams } = inspector.finish('x', new Map());
  t.is(report.members.length, limits.MAX_MEMBERS);
  t.true(report.leftOut.members > 0);
  t.true(report.pairs.length <= limits.MAX_PAIRS);
  t.true(report.anomalies.length <= 3 * limits.MAX_ANOMALIES);
  t.true(report.leftOut.anomalies > 0);
  t.true(report.timeline.intervals.length <= limits.MAX_INTERVALS);
  t.true(diagrams.length <= limits.MAX_CONVERSATIONS);
  for (const { steps } of diagrams) t.true(steps.length <= 2 * limits.MAX_ARROWS);
  t.true(JSON.stringify(report).length < 5_000_000);
});

test('the timeline doubles its intervals and loses no count', (t) => {
  const timeline = new Timeline();
  for (let i = 0; i < 10_000; i++) timeline.add(START + i * 0.37, 'messages');
  timeline.add(START - 1e6, 'messages');
  const { interval, intervals } = timeline.report();
  t.true(intervals.length <= limits.MAX_INTERVALS);
  t.is(
    intervals.reduce((sum, { messages }) => sum + messages, 0),
    10_001,
  );
  t.true(interval * limits.MAX_INTERVALS >= 3700);
});

test('real peers: the recorded losses are found, with who asked and what repaired them', async (t) => {
  const { report, diagrams } = await inspectFixture('loss');
  const [pair] = report.pairs;
  t.is(report.undecodable, 0);
  t.is(pair?.gaps, 3);
  t.is(pair?.unrepaired, 0);
  t.is(pair?.answered, 3);
  t.is(pair?.retransmissions, 5, 'and two resends of a last message');
  t.deepEqual(pair?.askers, { '127.0.0.1:41641': 3 });
  t.is(pair?.fragmented.complete, 1);
  t.is(report.verdict.level, 'repaired');
  t.is(diagrams[0]?.steps.filter((step) => 'lost' in step && step.lost).length, 3);
});

for (const [scenario, level] of [
  ['unicast', 'clean'],
  ['fragment', 'clean'],
  ['viewchange', 'trouble'],
] as const) {
  test(`real peers: ${scenario} is ${level}`, async (t) => {
    const { report } = await inspectFixture(scenario);
    t.is(report.verdict.level, level);
    t.is(report.undecodable, 0);
    t.is(report.verdict.level === 'trouble', !report.ok);
  });
}
