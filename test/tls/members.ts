import type { ExecutionContext } from 'ava';

import {
  createMessenger,
  type CreateMessengerOptions,
  createView,
  type DelegatingMessenger,
  type MemberId,
} from '../../src/index.ts';
import type { Logger } from '../../src/protocol/logger.ts';
import type { TlsOptions } from '../../src/security/options.ts';

export const HOST = '127.0.0.1';

export interface TestMember {
  readonly messenger: DelegatingMessenger;
  readonly id: MemberId;
  /** All lines, of every level. */
  readonly log: string[];
  /** Payloads as text, in order of delivery. */
  readonly received: string[];
}

function logTo(lines: string[]): Logger {
  const add = (level: string) => (line: string) => void lines.push(`${level}: ${line}`);
  return { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') };
}

export async function startMember(
  t: ExecutionContext,
  name: string,
  tls: TlsOptions | undefined,
  more: Partial<CreateMessengerOptions> = {},
): Promise<TestMember> {
  const log: string[] = [];
  const received: string[] = [];
  const messenger = createMessenger({
    cluster: 'tls',
    host: HOST,
    ports: [0, 0],
    member: { name, version: 200 },
    logger: logTo(log),
    ...(tls === undefined ? {} : { tls }),
    ...more,
  });
  messenger.setDefaultHandler(({ payload }) => received.push(Buffer.from(payload).toString()));
  t.teardown(() => messenger.stop());
  return { messenger, id: await messenger.start(), log, received };
}

let viewId = 0;

export function installView(members: readonly TestMember[]): void {
  const view = createView(
    ++viewId,
    members.map(({ id }) => id),
  );
  for (const { messenger } of members) messenger.installView(view);
}

/** Two members in a view, with these options. */
export async function startPair(
  t: ExecutionContext,
  a: TlsOptions | undefined,
  b: TlsOptions | undefined,
): Promise<[TestMember, TestMember]> {
  const pair: [TestMember, TestMember] = [await startMember(t, 'a', a), await startMember(t, 'b', b)];
  installView(pair);
  return pair;
}

export function send(from: TestMember, to: TestMember, text: string): void {
  const { refused, notInView } = from.messenger.send({ recipients: [to.id], payload: Buffer.from(text) });
  if (refused.length + notInView.length > 0) throw new Error(`'${text}' was not accepted`);
}

/** What `from` says of its connection to `to`: `TLSv1.3`, `none`, or null without one. */
export function sendingBy(from: TestMember, to: TestMember): string | null {
  const peer = from.messenger.stats().peers.find(({ member }) => member.uuid === to.id.uuid);
  return peer?.tls?.sending?.protocol ?? null;
}

/** Polls: what happens at sockets has no event of its own. */
export async function until(what: () => boolean, limitMs = 15_000): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (!what()) {
    if (performance.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

export function logged(member: TestMember, text: string | RegExp): boolean {
  return member.log.some((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)));
}
