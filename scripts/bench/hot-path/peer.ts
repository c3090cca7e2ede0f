/** One process of a pair, forked by pair.ts. */

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { JGroupsMessenger } from '../../../src/jgroups/jgroups-messenger.ts';
import type { MemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';

export interface PeerSettings {
  /** `raw`: node:dgram as it comes; `raw-lookup`: without a look-up of names; `own`: our messenger. */
  readonly mode: string;
  readonly size: number;
  /** Half of them to warm up. It goes on after that until it is told to end. */
  readonly messages: number;
  readonly sends: boolean;
}

type Member = Pick<MemberId, 'host' | 'port'> & Partial<MemberId>;

export interface ToPeer {
  readonly type: 'begin';
  /** The sender first. */
  readonly members: readonly Member[];
}

export type FromPeer =
  | { readonly type: 'bound'; readonly member: Member }
  | { readonly type: 'result'; readonly messages: number; readonly ms: number; readonly cpuUs: number };

/** Messages under way, and how many are acknowledged at once; fewer of large ones, as the receive buffer is 1 MiB. */
const WINDOW = 64;
const WINDOW_BYTES = 512 * 1024;
const MAX_RAW_BYTES = 60_000;
const BUFFER_BYTES = 1024 * 1024;
const ACK_BYTES = 8;

/** How either kind of peer sends; `heard` is called with the length of what comes. */
interface Port {
  send(bytes: Uint8Array): void;
}

const settings = JSON.parse(process.argv[2] ?? '') as PeerSettings;
const window = Math.max(1, Math.min(WINDOW, Math.floor(WINDOW_BYTES / settings.size)));
const acked = Math.max(1, window >> 2);
const payload = Buffer.alloc(settings.size, 7);
let heard: (length: number) => void = () => undefined;

function tell(message: FromPeer): void {
  process.send?.(message);
}

async function begin(): Promise<Port> {
  return settings.mode === 'own' ? beginOwn() : beginRaw();
}

function others(): Promise<readonly Member[]> {
  return new Promise((resolve) => process.once('message', (message: ToPeer) => resolve(message.members)));
}

async function beginOwn(): Promise<Port> {
  const messenger = new JGroupsMessenger({
    environment: createNodeEnvironment(),
    cluster: 'AG',
    member: { version: 1 },
    host: '127.0.0.1',
    ports: [0, 0],
    highWaterBytes: 512 * 1024 * 1024,
    udpReceiveBufferBytes: BUFFER_BYTES,
  });
  messenger.setDefaultHandler((message) => heard(message.payload.length));
  const self = await messenger.start();
  tell({ type: 'bound', member: self });
  const members = (await others()) as readonly MemberId[];
  messenger.installView(createView(1, members));
  const recipients = members.filter(({ uuid }) => uuid !== self.uuid);
  return { send: (bytes) => void messenger.send({ recipients, payload: bytes }) };
}

async function beginRaw(): Promise<Port> {
  const lookup = (host: string, _options: unknown, done: (e: null, host: string, family: number) => void) =>
    done(null, host, isIPv6(host) ? 6 : 4);
  const socket = createSocket(settings.mode === 'raw' ? { type: 'udp4' } : { type: 'udp4', lookup });
  socket.on('message', (bytes) => heard(bytes.length));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.setRecvBufferSize(BUFFER_BYTES);
  socket.setSendBufferSize(BUFFER_BYTES);
  const { port } = socket.address();
  tell({ type: 'bound', member: { host: '127.0.0.1', port } });
  const other = (await others()).find((member) => member.port !== port);
  if (other === undefined) throw new Error('there is nobody else');
  return { send: (bytes) => sendPieces(bytes, (piece) => socket.send(piece, other.port, other.host)) };
}

/** A datagram for each 60 kB, as fragments are. */
function sendPieces(bytes: Uint8Array, send: (piece: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; at += MAX_RAW_BYTES) send(bytes.subarray(at, at + MAX_RAW_BYTES));
}

/** The processor time of the second half of `settings.messages`; the first warms up. To be called for each message. */
function meter(): () => void {
  let count = 0;
  let start = { at: 0, cpu: process.cpuUsage() };
  const half = settings.messages >> 1;
  return () => {
    count++;
    if (count === half) start = { at: performance.now(), cpu: process.cpuUsage() };
    if (count !== 2 * half) return;
    const { user, system } = process.cpuUsage(start.cpu);
    const ms = performance.now() - start.at;
    tell({ type: 'result', messages: half, ms, cpuUs: user + system });
  };
}

function runSender(port: Port): void {
  const count = meter();
  let room = window;
  const fill = (): void => {
    while (room > 0) {
      room--;
      port.send(payload);
      count();
    }
  };
  heard = () => {
    room += acked;
    fill();
  };
  setTimeout(fill, 50); // the other one has the view by then
}

function runReceiver(port: Port): void {
  const ack = Buffer.alloc(ACK_BYTES);
  let bytes = 0;
  let messages = 0;
  const count = meter();
  heard = (length) => {
    bytes += length;
    if (bytes < settings.size) return; // raw pieces
    bytes -= settings.size;
    if (++messages % acked === 0) port.send(ack);
    count();
  };
}

process.on('disconnect', () => process.exit());
const port = await begin();
if (settings.sends) runSender(port);
else runReceiver(port);
