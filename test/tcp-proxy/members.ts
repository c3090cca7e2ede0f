import { createNodeEnvironment } from '../../src/io/node-environment.ts';
import type { Environment, StreamListener } from '../../src/protocol/environment.ts';
import type { Logger } from '../../src/protocol/logger.ts';
import type { TlsOptions } from '../../src/security/options.ts';
import { TcpMessenger, type TcpMessengerOptions } from '../../src/tcp/tcp-messenger.ts';

/**
 * What only time tells is found out sooner than by default, so that thousands of stalls take minutes; acknowledgements
 * go out at once, so that cuts between them are many; waits grow less, for here every connection is cut.
 */
export const IMPATIENT: NonNullable<TcpMessengerOptions['tcp']> = {
  handshakeTimeoutMs: 800,
  pingIntervalMs: 100,
  stallTimeoutMs: 800,
  idleTimeoutMs: 2_500,
  ackDelayMs: 0,
  backoffMaxMs: 50,
};

export interface WireOptions {
  readonly seed: number;
  /** Default: the product's own timings. */
  readonly timings?: NonNullable<TcpMessengerOptions['tcp']>;
  /** Where a connection to a member's port really goes. */
  readonly redirect: ReadonlyMap<number, number>;
  readonly logger?: Logger;
  /** Of both members. Default: plaintext. */
  readonly tls?: TlsOptions;
}

/** A member whose connections to others go by their proxies, though they advertise the ports that they have. */
export function createProxiedMember(name: string, options: WireOptions): TcpMessenger {
  const { seed, timings, redirect, logger = SILENT, tls } = options;
  const environment = createNodeEnvironment({ seed, logger, ...(tls === undefined ? {} : { tls }) });
  return new TcpMessenger({
    environment: redirected(environment, redirect),
    cluster: 'cuts',
    host: '127.0.0.1',
    ports: [0, 0],
    member: { name, version: 200 },
    ...(timings === undefined ? {} : { tcp: timings }),
  });
}

function redirected(environment: Environment, redirect: ReadonlyMap<number, number>): Environment {
  return {
    tls: environment.tls ?? null,
    nowMs: () => environment.nowMs(),
    createTimer: (callback) => environment.createTimer(callback),
    rng: environment.rng,
    logger: environment.logger,
    async bind(options) {
      const pair = await environment.bind(options);
      return { ...pair, tcp: pair.tcp === null ? null : redirectedListener(pair.tcp, redirect) };
    },
  };
}

function redirectedListener(listener: StreamListener, redirect: ReadonlyMap<number, number>): StreamListener {
  return {
    get admits() {
      return listener.admits;
    },
    set admits(handler) {
      listener.admits = handler;
    },
    get onConnection() {
      return listener.onConnection;
    },
    set onConnection(handler) {
      listener.onConnection = handler;
    },
    connect: (host, port, peer) => listener.connect(host, redirect.get(port) ?? port, peer),
    close: () => listener.close(),
  };
}

const nothing = (): void => undefined;
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
