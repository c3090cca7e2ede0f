/**
 * A bad network between a sender and one receiver: what comes in goes on to the receiver, but for a share that a seed
 * picks. The way back does not lead here: both stacks under test answer to the sender's own address.
 */

import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';

import { seededRng } from '../../../src/protocol/rng.ts';
import { workerArguments } from '../harness/worker.ts';

const args = workerArguments();
const loss = Number(args.get('loss'));
const target = { host: args.get('host') ?? '', port: Number(args.get('port')) };
const rng = seededRng(Number(args.get('seed')));

const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 4_194_304,
  lookup: (host, _options, callback) => callback(null, host, isIPv4(host) ? 4 : 6),
});
socket.on('message', (bytes) => {
  if (rng.next() >= loss) socket.send(bytes, target.port, target.host);
});
socket.bind(0, '127.0.0.1', () => {
  const up = { ev: 'up', uuid: args.get('uuid'), port: socket.address().port };
  process.stdout.write(`${JSON.stringify(up)}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
