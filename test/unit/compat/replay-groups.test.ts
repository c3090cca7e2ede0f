import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { Digest, Header } from '../../../codecs/jgroups/message.ts';
import type { CaptureResult } from '../../../src/compat/replay/result.ts';
import { FRAG2 } from '../../../src/jgroups/frag2.ts';
import { MFC } from '../../../src/jgroups/mfc.ts';
import { NAKACK2 } from '../../../src/jgroups/nakack2.ts';
import type { OutMessage } from '../../../src/jgroups/protocol.ts';
import { Transport } from '../../../src/jgroups/transport.ts';
import { UNICAST3 } from '../../../src/jgroups/unicast3.ts';
import { capturesIn, editTruth, FIXTURES, replayBytes, replayFile, truthBeside } from './replay-fixtures.ts';

/** Group messages and the stacks that JGroups ships; and stacks that are broken on purpose, one after the other. */

const GROUP = /mcast|^(udp|tcp)-default/;
const groups = capturesIn(FIXTURES).filter((file) => GROUP.test(basename(dirname(file))));
const fixture = (name: string): string => join(FIXTURES, name, 'capture.pcap');

test.serial('captures of group messages are replayed in full', async (t) => {
  t.true(groups.length >= 20);
  for (const file of groups) {
    const { replay, ok, delivered, expected, replies, problems } = await replayFile(file);
    t.deepEqual({ replay, ok, problems }, { replay: 'full', ok: true, problems: [] }, file);
    t.is(delivered, expected);
    t.true(delivered > 5 && (replies?.agree ?? 0) > 3, file);
  }
});

test.serial(
  'on a bad network group messages are repaired, while members join, merge and leave',
  async (t) => {
    let repaired = 0;
    for (const file of groups) {
      for (let seed = 1; seed <= 2; seed++) {
        const { faults } = await replayFile(file, { loss: 0.25, reorder: 0.2, duplicate: 0.2, seed });
        t.true(faults?.ok, `${file} ${seed}: ${faults?.verdict ?? ''}`);
        t.true((faults?.delivered ?? 0) > 3, file);
        repaired += faults?.repaired ?? 0;
      }
    }
    t.true(repaired > 200);
  },
);

test.serial(
  'without truth the rules of the wire judge group messages, and views are those of GMS',
  async (t) => {
    for (const file of groups) {
      const result = await replayBytes(readFileSync(file), null);
      t.deepEqual([result.replay, result.problems], ['self-checked', []], file);
      const { delivered } = await replayFile(file);
      t.true(result.delivered >= delivered, file);
    }
  },
);

test.serial(
  'a group message that the member did not deliver is extra, one that only it did is missing',
  async (t) => {
    const file = fixture('3.6.14/udp-default-join-leave');
    const truth = truthBeside(file) ?? '';
    const toGroup = (label: number, times: number): string => {
      let isFirst = true;
      return editTruth(truth, (event) => {
        if (event.ev !== 'deliver' || event.peer !== 'B' || event['label'] !== label || !isFirst)
          return [event];
        isFirst = false;
        return Array.from({ length: times }, () => event);
      });
    };
    const less = await replayBytes(readFileSync(file), toGroup(2, 0));
    t.deepEqual([less.ok, less.missing, less.extra, less.outOfOrder], [false, 0, 1, 0]);
    const more = await replayBytes(readFileSync(file), toGroup(2, 2));
    t.deepEqual([more.ok, more.missing, more.extra, more.outOfOrder], [false, 1, 0, 0]);
  },
);

// --- broken on purpose ---------------------------------------------------------------------------------------

/** Replays with a method of the stack replaced, and puts it back. */
async function broken<P extends object, K extends keyof P>(
  prototype: P,
  name: K,
  replace: (original: P[K]) => P[K],
  captures: readonly string[],
): Promise<CaptureResult[]> {
  const original = prototype[name];
  prototype[name] = replace(original);
  try {
    const results: CaptureResult[] = [];
    for (const capture of captures) results.push(await replayFile(fixture(capture)));
    return results;
  } finally {
    prototype[name] = original;
  }
}

function caught(t: ExecutionContext, results: readonly CaptureResult[], pattern: RegExp): void {
  for (const result of results) {
    t.false(result.ok, result.name);
    t.regex(result.problems.join('\n'), pattern);
  }
}

const STACKS = ['3.6.14/mcast-loss', '3.6.20/mcast', '3.6.20/udp-default-loss'];

type Down = (this: unknown, message: OutMessage, nowMs: number) => void;

/** A transport that changes what goes down, or swallows it (null). */
function changing(change: (message: OutMessage) => OutMessage | null): (original: Down) => Down {
  return (original) =>
    function (message, nowMs) {
      const changed = change(message);
      if (changed !== null) original.call(this, changed, nowMs);
    };
}

function withHeader(message: OutMessage, change: (header: Header) => Header): OutMessage {
  return { ...message, headers: message.headers.map(change) };
}

const says = ({ headers }: OutMessage, type: string): boolean =>
  headers.some((header) => 'type' in header && header.protocol === 'NAKACK2' && header.type === type);

test.serial('an answer under another seqno is caught', async (t) => {
  const results = await broken(
    Transport.prototype,
    'down',
    changing((message) =>
      withHeader(message, (header) =>
        header.protocol === 'NAKACK2' && header.type === 'XMIT_RSP'
          ? { ...header, seqno: header.seqno + 1 }
          : header,
      ),
    ),
    STACKS,
  );
  caught(t, results, /again, which it had not asked for|another message as its group message/);
});

test.serial('no answer is caught', async (t) => {
  const silent = changing((message) => (says(message, 'XMIT_RSP') ? null : message));
  caught(
    t,
    await broken(Transport.prototype, 'down', silent, STACKS),
    /asked for group message .* did not resend/,
  );
});

test.serial('gaps that are not asked for are caught', async (t) => {
  const silent = changing((message) => (says(message, 'XMIT_REQ') ? null : message));
  const results = await broken(Transport.prototype, 'down', silent, ['3.6.14/mcast', '3.6.20/mcast']);
  caught(t, results, /did not ask .* for group message \d+, missing for/);
});

test.serial('a sender that does not tell of its last message is caught', async (t) => {
  const silent = changing((message) => (says(message, 'HIGHEST_SEQNO') ? null : message));
  caught(
    t,
    await broken(Transport.prototype, 'down', silent, STACKS),
    /did not tell the group of its last message/,
  );
});

test.serial('a sender that tells of fewer messages than it sent is caught', async (t) => {
  const wrong = changing((message) =>
    withHeader(message, (header) =>
      header.protocol === 'NAKACK2' && header.type === 'HIGHEST_SEQNO'
        ? { ...header, seqno: header.seqno - 1 }
        : header,
    ),
  );
  caught(
    t,
    await broken(Transport.prototype, 'down', wrong, STACKS),
    /told the group of \d+ messages, and sent \d+/,
  );
});

for (const by of [1, -1]) {
  test.serial(`a digest that is off by ${by} is caught`, async (t) => {
    const results = await broken(
      NAKACK2.prototype,
      'digest',
      (original) =>
        function (this: NAKACK2): Digest {
          const { members, seqnos } = original.call(this);
          const shifted = seqnos.map(({ highestDelivered, highestReceived }) => {
            const delivered = Math.max(0, highestDelivered + by);
            return { highestDelivered: delivered, highestReceived: Math.max(delivered, highestReceived) };
          });
          return { members, seqnos: shifted };
        },
      ['3.6.14/mcast', '3.6.20/ipmcast', '3.6.14/mcast-credits'],
    );
    caught(t, results, /said that of .* \d+ group messages are (delivered|stable), and \d+ are/);
  });

  test.serial(`a joiner that starts off by ${by} is caught`, async (t) => {
    const results = await broken(
      NAKACK2.prototype,
      'setDigest',
      (original) =>
        function (this: NAKACK2, digest, members) {
          const seqnos = digest.seqnos.map(({ highestDelivered, highestReceived }) => ({
            highestDelivered: Math.max(0, highestDelivered + by),
            highestReceived: Math.max(highestReceived, highestDelivered + by),
          }));
          original.call(this, { ...digest, seqnos }, members);
        },
      ['3.6.14/udp-default-loss', '3.6.20/udp-default-loss'],
    );
    for (const { ok, missing, problems } of results) {
      t.false(ok);
      if (by > 0) t.true(missing > 0 || problems.some((problem) => problem.includes('did not install view')));
      else t.regex(problems.join('\n'), /which was not missing|missing,/);
    }
  });
}

test.serial('group messages that are delivered twice are caught', async (t) => {
  const results = await broken(
    FRAG2.prototype,
    'up',
    (original) =>
      function (this: FRAG2, message, nowMs) {
        original.call(this, message, nowMs);
        if (message.toGroup && message.headers.every(({ protocol }) => protocol !== 'FRAG2')) {
          original.call(this, message, nowMs);
        }
      },
    STACKS,
  );
  caught(t, results, /0 missing, [1-9]\d* extra/);
});

test.serial('a receiver that gives no credits for group messages is caught', async (t) => {
  const results = await broken(
    MFC.prototype as unknown as Record<'up', Down>,
    'up',
    () =>
      function (message, nowMs) {
        (this as { above: { up: Down } }).above.up(message, nowMs);
      },
    ['3.6.14/mcast-credits', '3.6.20/mcast-credits'],
  );
  caught(t, results, /bytes of credit for group messages/);
});

test.serial('a sender that needs no credits for group messages is caught', async (t) => {
  const results = await broken(
    MFC.prototype,
    'down',
    () =>
      function (this: MFC, message, nowMs) {
        (this as unknown as { below: { down: Down } }).below.down(message, nowMs);
      },
    ['3.6.14/mcast-credits', '3.6.20/mcast-credits'],
  );
  caught(t, results, /bytes for which .* gave no credits/);
});

test.serial('a stack that loses views is caught', async (t) => {
  const results = await broken(
    UNICAST3.prototype,
    'up',
    (original) =>
      function (this: UNICAST3, message, nowMs) {
        const isView = message.headers.some(
          (header) => header.protocol === 'GMS' && (header.type === 'VIEW' || header.type === 'JOIN_RSP'),
        );
        if (!isView) original.call(this, message, nowMs);
      },
    ['3.6.14/udp-default-join-leave', '3.6.20/tcp-default-join-leave', '3.6.14/udp-default-merge'],
  );
  caught(t, results, /did not install view \d+/);
});
