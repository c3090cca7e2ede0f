import { isIP } from 'node:net';

import type { BindOptions, PortPair } from '../protocol/environment.ts';
import { checkPorts } from '../protocol/check-endpoint.ts';
import { LocalProtocolError, TransportError } from '../protocol/errors.ts';
import type { Logger } from '../protocol/logger.ts';
import { NodeDatagramSocket } from './datagram-socket.ts';
import { checkGroup, checkRoute } from './multicast.ts';
import { NodeStreamListener } from './stream.ts';
import type { TlsContext } from './tls/context.ts';

/** `PortPair` over node's sockets. */
export interface NodePortPair extends PortPair {
  readonly udp: NodeDatagramSocket | null;
  readonly tcp: NodeStreamListener | null;
  readonly multicast: NodeDatagramSocket | null;
}

/** With "any free port" the system picks the TCP half; somebody else may hold the UDP half of that number. */
const ANY_PORT_ATTEMPTS = 50;

/**
 * Binds UDP and TCP to one port number: the first of the range of which both halves are free.
 * @throws {TransportError} `EADDRINUSE` if there is none, `EADDRNOTAVAIL`, `EACCES`, ... if another port would not help;
 *   node's code, naming group and interface, if multicast does not work there
 * @throws {LocalProtocolError} `ERR_PORTS` for a range that is none, `ERR_HOST` for a host that is no IP literal,
 *   `ERR_MULTICAST` for a multicast address of the other kind
 */
export async function bindPortPair(
  options: BindOptions,
  logger: Logger,
  tls: TlsContext | null = null,
): Promise<NodePortPair> {
  checkOptions(options);
  // the group comes first: no connection can be accepted before the caller has set onConnection
  const multicast = options.udp ? await bindGroup(options, logger) : null;
  return { ...(await orClose(bindFirstFree(options, logger, tls), multicast)), multicast };
}

async function bindGroup(options: BindOptions, logger: Logger): Promise<NodeDatagramSocket | null> {
  const { host, multicast } = options;
  if (multicast === undefined) return null;
  checkGroup(host, multicast);
  await checkRoute(host, multicast);
  return NodeDatagramSocket.join(options, multicast, logger);
}

type Halves = Omit<NodePortPair, 'multicast'>;

async function bindFirstFree(options: BindOptions, logger: Logger, tls: TlsContext | null): Promise<Halves> {
  for (const port of candidates(options.ports)) {
    try {
      return await bindBoth(options, port, logger, tls);
    } catch (error) {
      if (error instanceof TransportError) throw error; // it is explained already
      if (codeOf(error) !== 'EADDRINUSE') throw explain(error, options, port);
    }
  }
  throw new TransportError('EADDRINUSE', `no free port on ${options.host}: ${tried(options)}`);
}

async function bindBoth(
  options: BindOptions,
  port: number,
  logger: Logger,
  tls: TlsContext | null,
): Promise<Halves> {
  const { host } = options;
  if (port !== 0) {
    const udp = options.udp ? await NodeDatagramSocket.bind(options, port, logger) : null;
    // The listener comes last: no connection can be accepted before the caller has set onConnection.
    const tcp = options.tcp ? await orClose(NodeStreamListener.bind(host, port, logger, tls), udp) : null;
    return { host, port, udp, tcp };
  }
  const tcp = options.tcp ? await NodeStreamListener.bind(host, 0, logger, tls) : null;
  const udpPort = tcp?.port ?? 0;
  const udp = options.udp ? await orClose(NodeDatagramSocket.bind(options, udpPort, logger), tcp) : null;
  return { host, port: tcp?.port ?? udp?.port ?? 0, udp, tcp };
}

/** The half that is bound already must not outlive the failure of the other one. */
async function orClose<T>(binding: Promise<T>, other: { close(): Promise<void> } | null): Promise<T> {
  try {
    return await binding;
  } catch (error) {
    await other?.close();
    throw error;
  }
}

function checkOptions(options: BindOptions): void {
  if (isIP(options.host) === 0) {
    throw new LocalProtocolError(
      'ERR_HOST',
      `'${options.host}' is no IP address; host names are not resolved`,
    );
  }
  if (!options.udp && !options.tcp) {
    throw new LocalProtocolError('ERR_PORTS', 'neither UDP nor TCP is to be bound');
  }
  checkPorts(options.ports);
}

function* candidates([first, last]: readonly [number, number]): Generator<number> {
  if (first === 0) for (let attempt = 0; attempt < ANY_PORT_ATTEMPTS; attempt++) yield 0;
  else for (let port = first; port <= last; port++) yield port;
}

function tried({ ports: [first, last], udp, tcp }: BindOptions): string {
  const halves = udp && tcp ? 'UDP and TCP together' : udp ? 'UDP' : 'TCP';
  if (first === 0) return `the system offered ${ANY_PORT_ATTEMPTS} ports, none was free for ${halves}`;
  return `tried ${first === last ? `port ${first}` : `ports ${first}-${last}`} for ${halves}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}

function explain(error: unknown, { host }: BindOptions, port: number): TransportError {
  const code = codeOf(error);
  const where = `cannot bind ${host}${port === 0 ? '' : `:${port}`}`;
  const texts: Readonly<Record<string, string>> = {
    EADDRNOTAVAIL: `${where}: no network interface of this machine has the address ${host}; use one that it has`,
    EACCES: `${where}: permission denied; ports below 1024 need privileges, use a range above`,
    EPERM: `${where}: permission denied; a firewall or sandbox forbids it`,
    EAFNOSUPPORT: `${where}: this machine has no ${isIP(host) === 6 ? 'IPv6' : 'IPv4'}; use an address of the other kind`,
  };
  return new TransportError(code, texts[code] ?? `${where}: ${(error as Error).message}`, { cause: error });
}
