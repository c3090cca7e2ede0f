/** A member of the healthy cluster, in a process of its own: the victim, or the one whose messages must get through. */

import { createNodeEnvironment } from '../../src/io/node-environment.ts';
import type { Logger } from '../../src/protocol/logger.ts';
import type { Environment, StreamListener } from '../../src/protocol/environment.ts';
import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import { createView } from '../../src/protocol/view.ts';
import type { TlsOptions } from '../../src/security/options.ts';
import { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';
import { answer } from './processes.ts';

const HOST = '127.0.0.1';
const PAYLOAD = Buffer.alloc(1_024, 'x');
const PROBE_TIMEOUT_MS = 20_000;

/** Of a slice: what was delivered so far, CPU time used so far, memory now. */
export interface Sample {
  readonly delivered: number;
  readonly atMs: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly counters: Readonly<Record<string, number>>;
}

let logLines = 0;
const nothing = (): void => undefined;
const countLine = (): void => {
  logLines++;
};
const logger: Logger = { debug: nothing, info: countLine, warn: countLine, error: countLine };

/** How the members of a siege are made. */
export interface MemberSetup {
  readonly tls: TlsOptions | null;
  /** A planted defect: milliseconds that each accepted connection burns. */
  readonly burnMs: number;
}

let setup: MemberSetup = { tls: null, burnMs: 0 };

function createMember(name: string, uuid?: string): TcpMessenger {
  const environment = createNodeEnvironment({ logger, ...(setup.tls === null ? {} : { tls: setup.tls }) });
  return new TcpMessenger({
    environment: setup.burnMs === 0 ? environment : burning(environment, setup.burnMs),
    cluster: 'hostile',
    host: HOST,
    ports: [0, 0],
    member: { name, version: 200, ...(uuid === undefined ? {} : { uuid }) },
  });
}

/** Calls of `bind` give a listener that wastes time on each connection. */
function burning(environment: Environment, burnMs: number): Environment {
  const bind: Environment['bind'] = async (options) => {
    const pair = await environment.bind(options);
    const listener = pair.tcp;
    if (listener === null) return pair;
    const wasteful: StreamListener = {
      get admits() {
        return listener.admits;
      },
      set admits(handler) {
        listener.admits = handler;
      },
      onConnection: () => undefined,
      connect: (host, port, peer) => listener.connect(host, port, peer),
      close: () => listener.close(),
    };
    listener.onConnection = (stream) => {
      const endMs = performance.now() + burnMs;
      while (performance.now() < endMs);
      wasteful.onConnection(stream);
    };
    return { ...pair, tcp: wasteful };
  };
  return { ...environment, bind };
}

let messenger = createMember('member');
let delivered = 0;

function start(wanted: MemberSetup): Promise<MemberId> {
  setup = wanted;
  messenger = createMember('member');
  messenger.setDefaultHandler(() => delivered++);
  return messenger.start();
}

function sample(): Sample {
  const { user, system } = process.cpuUsage();
  const counters = { ...messenger.stats().stacks.tcp?.counters, logLines };
  const rssBytes = process.memoryUsage.rss();
  return { delivered, atMs: performance.now(), cpuMs: (user + system) / 1_000, rssBytes, counters };
}

/** Sends as fast as the recipient takes it, until told to stop; then to the number of accepted messages. */
let isSending = false;
let accepted = 0;

function startLoad(recipient: MemberId): void {
  isSending = true;
  const send = (): void => {
    while (isSending) {
      const { refused, writable } = messenger.send({ recipients: [recipient], payload: PAYLOAD });
      if (refused.length === 0) accepted++;
      if (!writable) return;
    }
  };
  messenger.setWritableHandler(send);
  send();
}

async function stopLoad(): Promise<{ accepted: number; acknowledged: number }> {
  isSending = false;
  await messenger.flush(PROBE_TIMEOUT_MS);
  return { accepted, acknowledged: messenger.stats().totals.delivered };
}

/** A member of the view that was not connected: milliseconds until its first message is acknowledged, or null. */
async function probe({ victim, uuid }: { victim: MemberId; uuid: string }): Promise<number | null> {
  const latecomer = createMember('latecomer', uuid);
  const self = await latecomer.start();
  latecomer.installView(createView(1, [self, victim]));
  const startMs = performance.now();
  latecomer.send({ recipients: [victim], payload: PAYLOAD });
  const arrived = await latecomer.flush(PROBE_TIMEOUT_MS);
  const tookMs = performance.now() - startMs;
  await latecomer.stop();
  return arrived ? tookMs : null;
}

answer({
  start,
  installView: (members: MemberId[]) =>
    messenger.installView(
      createView(
        1,
        members.map((member) => createMemberId(member)),
      ),
    ),
  sample,
  startLoad,
  stopLoad,
  probe,
  stop: () => messenger.stop(),
});
