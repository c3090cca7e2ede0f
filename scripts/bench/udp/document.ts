import type { DocumentSpec } from '../harness/documents.ts';
import { MEMORY_NOTE } from '../own/memory-cases.ts';

export const UDP_DOCUMENT: DocumentSpec = {
  name: 'bench-udp',
  title: 'How fast the UDP stack is',
  chartTitle: 'UDP stack: how far each target is reached',
  notesHeading: '## Notes',
  sidesNote: `Processor seconds are for a million messages, of all processes of the side together; so is resident memory.
Drops are datagrams that a full receive buffer threw away in one measurement.`,
  introduction: `Written by \`npm run bench:udp\`. Our stack, the real JGroups 3.6.14 in JVMs and raw \`node:dgram\` do the same work in
the same run on the same machine, in turns, A B C A B C, so that whatever else the machine does hits all of them. The
figures are medians. Only ratios taken in one run mean something: absolute figures move by 20 % and more between runs
and machines.

- Sender and receiver are a process each, over loopback; receive buffers are so large that nothing is dropped, but where
  a case says otherwise. Every message is counted and checked for its order where it arrives: a run that loses one is no
  result.
- _ours_ is our stack to itself with the product's own defaults, _JVM_ is JGroups with Geode's stack to itself, warmed
  up (\`-Xms512m -Xmx1g -XX:+UseSerialGC\`); node has \`--initial-old-space-size=512\` for the same, but where memory is
  measured. All programs are compiled. _raw_ sends the same payloads by node:dgram with 64 datagrams on their way.
- The time of a measurement is from the first \`send\` to the last delivery, by the clock that all processes share.
- \`burst-10000-small-buffer\` is to a JVM in both cases, with Geode's default receive buffer of 64 KiB.
- \`loss5-1024\` goes through a relay that drops 5 % of the datagrams to the receiver, picked by a seed.
${MEMORY_NOTE}`,
};
