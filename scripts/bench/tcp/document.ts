import type { DocumentSpec } from '../harness/documents.ts';
import { markdownTable } from '../harness/tables.ts';
import { MEMORY_NOTE } from '../own/memory-cases.ts';

const PROMISES_HEAD = ['side', 'after a broken connection', 'order', 'a slow receiver'];
const PROMISES = [
  [
    'ours',
    'resumes; exactly once until the view drops the recipient',
    'of a sender',
    'the sender is told, nobody else waits',
  ],
  [
    'JVM',
    'UNICAST3 sends again what was not acknowledged; exactly once until the view drops it',
    'of a sender',
    '`send` blocks when credits are used up',
  ],
  ['raw', 'nothing: what was on its way is lost', 'of a connection', '`drain`'],
  [
    'zeromq',
    'reconnects; at most once: what was on its way is lost',
    'of a connection',
    'DEALER waits; ROUTER drops what it cannot queue',
  ],
  [
    'nats',
    'reconnects; at most once without JetStream, which is not used here',
    'of a sender',
    'the server closes its connection and drops what it held for it',
  ],
];

export const TCP_DOCUMENT: DocumentSpec = {
  name: 'bench-tcp',
  title: 'How fast the TCP stack is',
  chartTitle: 'TCP stack: how far each target is reached',
  notesHeading: '## Notes',
  sidesNote: `Processor seconds are for a million messages (to all receivers of a case), of all processes of the side together,
nats-server's among them; so is resident memory. Drops are of datagrams: there are none here.`,
  introduction: `Written by \`npm run bench:tcp\`. Our stack, the real JGroups 3.6.14 over TCP in JVMs, raw \`node:net\` and two libraries
that a Node user would otherwise pick do the same work in the same run on the same machine, in turns, A B C A B C, so
that whatever else the machine does hits all of them. The figures are medians. Only ratios taken in one run mean
something: absolute figures move by 20 % and more between runs and machines.

- Sender and receiver are a process each, over loopback. Every message is counted and checked for its order where it
  arrives: a run that loses one is no result. The time of a measurement is from the first \`send\` to the last delivery,
  by the clock that all processes share.
- _ours_ is our stack to itself with the product's own defaults. _JVM_ is JGroups with Geode's stack, of which UDP is
  replaced by JGroups' TCP with the bundling, send queues and buffers of the \`tcp.xml\` that it comes with (64 KiB, 30 ms,
  5 MB); messages are bundled one way and not on round trips; warmed up (\`-Xms512m -Xmx1g -XX:+UseSerialGC\`); node
  has \`--initial-old-space-size=512\` for the same, but where memory is measured. All programs are compiled.
- _raw_ is \`node:net\` with a length before each payload, written corked, a quarter of a mebibyte a turn of the event loop,
  as ours is given it; nothing is acknowledged or kept. In \`tls-1024\` it is \`node:tls\`, both with TLS 1.3 and certificates
  on both sides.
- To 30 and 300 receivers all of them are in one process: what is measured is the sender. \`broadcast\` is the sender's
  processor time for one recipient of one message, by that with three recipients.
- \`paused-29\` stops one of 30 receivers (SIGSTOP) to which all that it is allowed is sent, and compares the rate of each of
  the other 29 with that without it. What the 30th is owed gets to it afterwards, or the next measurement breaks.
- \`reconnect\` sends 20,000 messages of 1 KiB a second through a relay that resets the connection again and again, and takes
  the time from a reset to the first message on the next connection. All is in one process; a message that is lost,
  doubled or out of order breaks it.
- _zeromq_ and _nats_ give a sender no bound that it could rely on: a \`send\` of zeromq that waits at the high-water mark was
  seen to wait forever, and nats-server drops a subscriber that is 64 MB behind. Their programs keep what is on its way
  below 800 messages (zeromq) or 16,384 (nats) and 8 MiB, by an ack for each 64 messages or 256 KiB. None of that makes
  them more reliable. A side that fails, also by half a minute in which nothing comes, is out of that case; the
  table of each side says why.
${MEMORY_NOTE}

## What each promises

${markdownTable(PROMISES_HEAD, PROMISES, 'llll')}`,
};
