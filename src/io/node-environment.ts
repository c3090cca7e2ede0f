import { randomFillSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';

import type { BindOptions, DatagramSocket, Environment, PortPair } from '../protocol/environment.ts';
import type { Logger } from '../protocol/logger.ts';
import { seededRng, type Rng } from '../protocol/rng.ts';
import type { TlsOptions } from '../security/options.ts';
import { FaultyDatagramSocket, type FaultOptions } from './faulty-datagram-socket.ts';
import { NodeTimer } from './node-timer.ts';
import { bindPortPair } from './port-pair.ts';
import { Recorder, type RecorderOptions, type RecordingStats } from './recorder.ts';
import { recordPortPair } from './recording.ts';
import { TlsContext } from './tls/context.ts';

export interface NodeEnvironmentOptions {
  /** Replays the same random decisions. Default: the system's source of randomness. */
  readonly seed?: number;
  /** Default: warnings and errors on standard error, the rest nowhere. */
  readonly logger?: Logger;
  /** Injected at every UDP socket that is bound. Default: none. */
  readonly faults?: FaultOptions;
  /** All traffic of its sockets goes to a file as well. Default: none does. */
  readonly recorder?: RecorderOptions;
  /** How its TCP connections are protected. Default: not at all, and TLS is refused. */
  readonly tls?: TlsOptions;
}

export interface NodeEnvironment extends Environment {
  /** Null if nothing is recorded. */
  readonly recording: RecordingStats | null;
}

/**
 * The real world: monotonic clock, node's timers and sockets.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for a recording that cannot be, `ERR_TLS` for TLS that cannot be
 */
export function createNodeEnvironment(options: NodeEnvironmentOptions = {}): NodeEnvironment {
  const logger = options.logger ?? standardErrorLogger;
  const { faults } = options;
  const recorder = options.recorder === undefined ? null : new Recorder(options.recorder, logger);
  const tls = options.tls === undefined ? null : new TlsContext(options.tls, logger);
  const environment: NodeEnvironment = {
    tls,
    nowMs: () => performance.now(),
    createTimer: (callback) => new NodeTimer(callback),
    rng: options.seed === undefined ? cryptoRng() : seededRng(options.seed),
    logger,
    async bind(bindOptions: BindOptions): Promise<PortPair> {
      const bound = await bindPortPair(bindOptions, logger, tls);
      const pair = recorder === null ? bound : recordPortPair(bound, recorder, bindOptions.multicast);
      if (faults === undefined || pair.udp === null) return pair;
      const disturb = (socket: DatagramSocket): DatagramSocket =>
        new FaultyDatagramSocket(socket, environment, faults);
      const multicast = pair.multicast ?? null;
      return { ...pair, udp: disturb(pair.udp), multicast: multicast && disturb(multicast) };
    },
    get recording() {
      return recorder?.stats ?? null;
    },
  };
  return environment;
}

/** Draws from the operating system in blocks: a member's uuid must not hang on 32 bits of seed. */
function cryptoRng(): Rng {
  const block = new Uint32Array(256);
  let used = block.length;
  return {
    next(): number {
      if (used === block.length) {
        randomFillSync(block);
        used = 0;
      }
      return (block[used++] as number) / 0x1_0000_0000;
    },
  };
}

const standardErrorLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => void process.stderr.write(`warning: ${message}\n`),
  error: (message) => void process.stderr.write(`error: ${message}\n`),
};
