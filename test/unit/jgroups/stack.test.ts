/** What JGroupsStack makes of datagrams, good and bad (WIRE-3.6 sections 3, 4 and 13). */

import fc from 'fast-check';
import test from 'ava';

import { type Address, Flag } from '../../../codecs/jgroups/message.ts';
import { VERSION_3_6_20 } from '../../../codecs/jgroups/version.ts';
import { addressOf, data, keyOf, type Member, messageOf, type Puppet, single, World } from './world.ts';

function pair(config = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  return { world, a, p };
}

/** Nothing came of it but a count and a complaint that names who sent it. */
function assertDropped(t: { is: Is; deepEqual: Is; regex: Regex }, a: Member, complaint: RegExp): void {
  t.deepEqual(a.delivered, []);
  t.deepEqual(a.take(), []);
  t.is(a.complaints.length, 1);
  t.regex(a.complaints[0] ?? '', complaint);
}
type Is = (actual: unknown, expected: unknown) => boolean;
type Regex = (text: string, regex: RegExp) => boolean;

test('a raw ping is answered by a raw pong to where it came from', (t) => {
  const { a } = pair();
  a.handle(Buffer.from('ping'), 12_345);
  const [pong] = a.takeSent();
  t.is(pong?.text, 'pong');
  t.is(pong?.port, 12_345);
  a.handle(Buffer.from('pinG'), 12_345);
  a.handle(Buffer.from('ping!'), 12_345);
  t.deepEqual(a.take(), []);
});

test('any micro version of 3.6 is taken, others are dropped and told', (t) => {
  const { a, p } = pair();
  const message = p.message(a, [data(1)], 'm1');
  a.handle(single(message, 'AG', VERSION_3_6_20));
  t.deepEqual(a.texts, ['m1']);
  const old = single(message);
  old.writeUInt16BE(0x1302, 0);
  const b = pair();
  b.a.handle(old, 5_000);
  assertDropped(t, b.a, /^version 127\.0\.0\.1:5000: .*2\.12\.2.*3\.6\.14/);
  t.is(b.a.stack.counters.otherVersion, 1);
});

test('every version that JGroups had is told by its name, and what begins with none is malformed', (t) => {
  const { a, p } = pair();
  const bytes = single(p.message(a, [data(1)], 'x'));
  const hear = (version: number, port: number): void => {
    bytes.writeUInt16BE(version, 0);
    a.handle(bytes, port);
  };
  // major << 11 | minor << 6 | micro (WIRE-3.6 section 3)
  const versions = [
    [0x1141, '2.5.1'],
    [0x1302, '2.12.2'],
    [0x1800, '3.0.0'],
    [0x197f, '3.5.63'],
    [0x209e, '4.2.30'],
    [0x2800, '5.0.0'],
    [0x2946, '5.5.6'],
  ] as const;
  versions.forEach(([version, name], i) => {
    hear(version, 5_000 + i);
    t.is(
      a.complaints.pop(),
      `version 127.0.0.1:${5_000 + i}: it speaks JGroups ${name}, we speak 3.6.14; datagram dropped`,
    );
  });
  t.like(a.stack.counters, { otherVersion: versions.length, malformed: 0 });
  // zeros, 1.31.63, 2.13, 3.7, 4.3, 6.0, 'gu', and all ones
  const none = [0x0000, 0x0fff, 0x1340, 0x19c0, 0x20c0, 0x3000, 0x6775, 0xffff];
  none.forEach((version, i) => {
    hear(version, 6_000 + i);
    t.is(
      a.complaints.pop(),
      `malformed 127.0.0.1:${6_000 + i}: malformed datagram of ${bytes.length} bytes dropped: it is no JGroups ` +
        `datagram (it begins with 0x${version.toString(16).padStart(4, '0')}, which is no version)`,
    );
  });
  t.like(a.stack.counters, { otherVersion: versions.length, malformed: none.length });
  t.deepEqual(a.take(), []);
});

test('another cluster, or none', (t) => {
  for (const [cluster, text] of [
    ['other', "'other'"],
    [null, 'no cluster'],
  ] as const) {
    const { a, p } = pair();
    a.handle(single(p.message(a, [data(1)], 'x'), cluster), 5_000);
    assertDropped(t, a, new RegExp(`^cluster 127\\.0\\.0\\.1:5000: .*${text}`));
    t.is(a.stack.counters.otherCluster, 1);
  }
});

test('a message without a sender, or from a physical address', (t) => {
  const { a, p } = pair();
  a.handle(single({ ...p.message(a, [data(1)], 'x'), src: null }), 5_000);
  assertDropped(t, a, /^malformed 127\.0\.0\.1:5000: .*without a sender/);
  const b = pair();
  const src: Address = { kind: 'ip', host: '127.0.0.1', scopeId: 0, port: 5_000 };
  b.a.handle(single({ ...p.message(a, [data(1)], 'x'), src }), 5_000);
  assertDropped(t, b.a, /^malformed 127\.0\.0\.1:5000: .*physical address/);
  t.is(b.a.stack.counters.rejected, 1);
});

test('truncated, trailing and unknown bytes are counted and told once each, with place and field', (t) => {
  const { a, p } = pair();
  const good = single(p.message(a, [data(1)], 'm1'));
  for (let length = 0; length < good.length; length++) {
    if (length !== 4) a.handle(good.subarray(0, length));
  }
  a.handle(Buffer.concat([good, Buffer.from([0])]));
  const unknownHeader = Buffer.from(good);
  unknownHeader.writeUInt16BE(999, good.indexOf('004b0038', 'hex'));
  a.handle(unknownHeader);
  t.is(a.stack.counters.malformed, good.length + 1);
  t.true(a.complaints.every((text) => /^malformed 127\.0\.0\.1:49999: .* at byte \d+/.test(text)));
  a.handle(good);
  t.deepEqual(a.texts, ['m1']);
});

test('no datagram throws: mutations of good ones, and noise', (t) => {
  const world = new World();
  const [a, b] = world.members(2, { fragSize: 100, maxCredits: 500 }) as [Member, Member];
  const seeds: Buffer[] = [];
  world.lose = (sent) => {
    seeds.push(sent.bytes);
    return seeds.length % 3 === 0;
  };
  for (let i = 0; i < 30; i++) a.send(b, Buffer.alloc(30 * i + 1), i % 4 === 0 ? Flag.OOB : 0);
  world.run(10_000);
  world.lose = () => true;
  const datagram = fc
    .tuple(
      fc.nat(seeds.length - 1),
      fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(220),
    )
    .map(([seed, changes, length]) => {
      const bytes = Buffer.from(seeds[seed] as Buffer);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes.subarray(0, length < 110 ? length : bytes.length);
    });
  fc.assert(
    fc.property(fc.oneof(datagram, fc.uint8Array({ maxLength: 80 })), fc.nat(2_000), (bytes, ms) => {
      b.handle(bytes);
      world.run(ms);
    }),
    { numRuns: 3_000, seed: 7 },
  );
  b.delivered.length = 0;
  world.lose = () => false;
  const c = world.member({ fragSize: 100, maxCredits: 500 });
  b.view(a, c);
  c.view(b);
  c.send(b, 'still there');
  world.run(3_000);
  t.true(b.texts.includes('still there'));
});

test('a bundle says for whom its messages are; it may be empty', (t) => {
  const { a, p, world } = pair();
  const b = world.member();
  p.bundle(a, [{ ...p.message(b, [data(1)], 'x'), src: null }]);
  t.deepEqual(a.texts, ['x'], 'the bundle says for whom it is');
  t.is(b.texts.length, 0);
  p.bundle(a, []);
  p.bundle(a, [p.message(a, [data(2)], 'y'), p.message(a, [data(3)], 'z')]);
  t.deepEqual(a.texts, ['x', 'y', 'z']);
});

test('every datagram has our address, the cluster and the version; the payload is the one that was given', (t) => {
  const { a, p } = pair({ version: VERSION_3_6_20, cluster: 'other' });
  a.stack.send(p.address, Buffer.from('hello'), Flag.DONT_BUNDLE, 0);
  const [sent] = a.takeSent();
  t.is(sent?.bytes.readUInt16BE(0), VERSION_3_6_20);
  t.deepEqual(messageOf(sent), {
    dest: p.address,
    src: a.address,
    flags: Flag.DONT_BUNDLE,
    headers: [data(1), { protocol: 'TP', cluster: 'other' }],
    payload: Buffer.from('hello'),
  });
});

test('a peer that tells no host and port is answered where its datagram came from', (t) => {
  const { a, world } = pair();
  const uuid = 'ab'.repeat(16);
  const say = (src: Address, fromPort: number): void =>
    a.handle(
      single({ dest: a.address, src, flags: 0, headers: [data(1)], payload: Buffer.from('x') }),
      fromPort,
    );
  say({ kind: 'uuid', uuid }, 45_001);
  say({ ...addressOf(7), host: '', port: 0 }, 45_002);
  t.is(a.delivered.length, 2);
  world.run(500);
  t.deepEqual(
    a.takeSent().map(({ port, text }) => `${text} to ${port}`),
    ['ACK 1 conn 0 ts 1 to 45001', 'ACK 1 conn 0 ts 2 to 45002'],
  );
});

test('a peer that was never heard and tells no host and port cannot be sent to, which is told', (t) => {
  const { a } = pair();
  const uuid = 'ab'.repeat(16);
  a.send({ address: { kind: 'uuid', uuid } }, 'x');
  a.send({ address: { ...addressOf(7), host: '', port: 0 } }, 'x');
  t.deepEqual(a.take(), []);
  t.regex(a.complaints[0] ?? '', new RegExp(`^address ${uuid}: no host and port`));
  t.is(a.stack.counters.rejected, 2);
});

test('stop sends the acks that are due', (t) => {
  const { a, p } = pair();
  p.data(a, 1);
  a.stack.stop(0);
  t.deepEqual(a.take(), ['ACK 1 conn 0 ts 1']);
});

test('a handler that sends, and one that changes the view, within a delivery', (t) => {
  const world = new World();
  const [a, b] = world.members(2) as [Member, Member];
  b.onDeliver = ({ payload }) => {
    if (payload.toString() === 'leave') b.view();
    else b.send(a, `re: ${payload.toString()}`);
  };
  for (const text of ['1', '2', 'leave', '3']) a.send(b, text);
  world.run(1_000);
  t.deepEqual(a.texts, ['re: 1', 're: 2', 're: 3']);
  t.deepEqual(b.texts, ['1', '2', 'leave', '3']);
});

test('a message for another member, mostly one that had this port before, or for a group', (t) => {
  const { a, p, world } = pair();
  const b = world.member();
  a.handle(single(p.message(b, [data(1)], 'x')), 5_000);
  assertDropped(t, a, new RegExp(`^dest 127\\.0\\.0\\.1:5000: .*another member, ${keyOf(b)}`));
  const c = pair().a;
  c.handle(single({ ...p.message(c, [data(1)], 'x'), dest: null }), 5_000);
  assertDropped(t, c, /a group/);
  t.is(c.stack.counters.notForUs, 1);
});

test('our own packets are dropped; somebody else in our name is told', (t) => {
  const { a, p } = pair();
  a.handle(single(p.message(a, [data(1)], 'x')), a.address.port);
  a.handle(Buffer.from('ping'), a.address.port);
  t.deepEqual(a.complaints, []);
  t.is(a.stack.counters.ownPackets, 2);
  a.handle(single({ ...p.message(a, [data(1)], 'x'), src: a.address }), 5_000);
  assertDropped(t, a, /^own 127\.0\.0\.1:5000: .*our uuid/);
  t.is(a.stack.counters.ownPackets, 3);
});
