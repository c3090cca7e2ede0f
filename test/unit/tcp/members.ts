import { createView } from '../../../src/protocol/view.ts';
import type { MemberId } from '../../../src/protocol/member-id.ts';
import { TcpMessenger, type TcpMessengerOptions } from '../../../src/tcp/tcp-messenger.ts';
import type { FakeListener, FakeNetwork } from './fake-network.ts';

/** A messenger on the fake network, and what it was given. */
export interface Member {
  readonly messenger: TcpMessenger;
  readonly id: MemberId;
  readonly got: { from: string; number: number; length: number }[];
  readonly listener: FakeListener;
}

/** Payloads begin with a number, so that order and completeness show. */
export function numbered(number: number, length = 4): Buffer {
  const payload = Buffer.alloc(Math.max(4, length), number & 0xff);
  payload.writeUInt32BE(number);
  return payload;
}

export async function startMember(
  network: FakeNetwork,
  name: string,
  options: Partial<TcpMessengerOptions> = {},
): Promise<Member> {
  const messenger = new TcpMessenger({
    environment: network.environment(),
    cluster: 'test',
    host: '127.0.0.1',
    ports: [0, 0],
    member: { name, version: 200 },
    ...options,
  });
  const got: Member['got'] = [];
  messenger.setDefaultHandler(({ sender, payload }) => {
    const bytes = Buffer.from(payload);
    const number = bytes.readUInt32BE(0);
    if (!numbered(number, bytes.length).equals(bytes)) throw new Error('a payload was damaged');
    got.push({ from: sender.name, number, length: bytes.length });
  });
  const id = await messenger.start();
  const listener = network.listeners.get(`${id.host}:${id.port}`);
  if (listener === undefined) throw new Error('no listener');
  return { messenger, id, got, listener };
}

export function installView(
  id: number,
  members: readonly Member[],
  ids = members.map((member) => member.id),
): void {
  for (const member of members) member.messenger.installView(createView(id, ids));
}

export async function stopAll(network: FakeNetwork, members: readonly Member[]): Promise<void> {
  const stopping = members.map((member) => member.messenger.stop());
  network.run(1_000);
  await Promise.all(stopping);
}

export function numbers(member: Member): number[] {
  return member.got.map(({ number }) => number);
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
