import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

import type { BindOptions, DatagramSocket } from '../protocol/environment.ts';
import type { Logger } from '../protocol/logger.ts';
import { aimAtGroup, type Group, joinGroup } from './multicast.ts';

/**
 * Bytes that may wait in the process while the kernel's send buffer is full. libuv's own queue has no limit; past
 * this datagrams are dropped, as a full network card would, and the protocol sends them again.
 */
const MAX_SEND_QUEUE_BYTES = 8 * 1024 * 1024;

/** The queue is looked at once in so many sends; 64 datagrams hold at most 4 MiB. */
const SEND_QUEUE_CHECK_INTERVAL = 64;

export interface DatagramCounters {
  datagramsSent: number;
  bytesSent: number;
  datagramsReceived: number;
  bytesReceived: number;
  /** Given to the kernel and refused (too long, no route, no buffers). */
  sendErrors: number;
  /** Dropped because too much waited for the kernel already. */
  sendOverflows: number;
}

type LookupCallback = (error: null, address: string, family: number) => void;

/** Hosts are literals: answers at once, where dns.lookup costs a turn of the event loop a datagram. */
function literalLookup(host: string, family: unknown, callback: LookupCallback): void {
  callback(null, host, family as number); // a socket asks for its own family
}

/** `DatagramSocket` over node:dgram. Errors after the bind are counted and logged once, never thrown. */
export class NodeDatagramSocket implements DatagramSocket {
  onDatagram: (bytes: Uint8Array, host: string, port: number) => void = () => undefined;
  readonly counters: DatagramCounters = {
    datagramsSent: 0,
    bytesSent: 0,
    datagramsReceived: 0,
    bytesReceived: 0,
    sendErrors: 0,
    sendOverflows: 0,
  };
  readonly #socket: Socket;
  readonly #logger: Logger;
  #sendsToCheck = 0;
  #overflowing = false;
  #closing: Promise<void> | null = null;

  private constructor(socket: Socket, logger: Logger) {
    this.#socket = socket;
    this.#logger = logger;
    socket.on('message', this.#handleMessage);
    socket.on('error', this.#handleError);
  }

  /** Rejects with node's error if the port cannot be bound. */
  static bind(options: BindOptions, port: number, logger: Logger): Promise<NodeDatagramSocket> {
    const ipv6 = isIPv6(options.host);
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6, lookup: literalLookup });
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket.once('error', fail);
      socket.bind({ address: options.host, port, exclusive: true }, () => {
        socket.off('error', fail);
        try {
          if (options.multicast !== undefined) aimAtGroup(socket, options.host, options.multicast);
        } catch (error) {
          fail(error as Error);
          return;
        }
        sizeBuffers(socket, options, logger);
        resolve(new NodeDatagramSocket(socket, logger));
      });
    });
  }

  /** A socket that hears the group on the interface of `options.host`. Rejects with a `TransportError`. */
  static async join(options: BindOptions, group: Group, logger: Logger): Promise<NodeDatagramSocket> {
    const ipv6 = isIPv6(options.host);
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6, reuseAddr: true });
    try {
      await joinGroup(socket, options.host, group);
    } catch (error) {
      socket.close();
      throw error;
    }
    const udpReceiveBufferBytes = group.receiveBufferBytes ?? options.udpReceiveBufferBytes;
    sizeBuffers(socket, { ...options, udpReceiveBufferBytes }, logger);
    return new NodeDatagramSocket(socket, logger);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** False: it did not even get to the kernel. */
  send(bytes: Uint8Array, host: string, port: number): boolean {
    return this.#send(bytes, host, port);
  }

  sendParts(head: Uint8Array, body: Uint8Array, host: string, port: number): boolean {
    return this.#send([head, body], host, port);
  }

  #send(bytes: Uint8Array | readonly Uint8Array[], host: string, port: number): boolean {
    if (this.#closing !== null || this.#isOverflowing()) return false;
    try {
      this.#socket.send(bytes, port, host, this.#handleSent);
      return true;
    } catch (error) {
      this.#handleSent(error as Error, 0);
      return false;
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closing;
  }

  #isOverflowing(): boolean {
    if (--this.#sendsToCheck < 0) {
      this.#overflowing = this.#socket.getSendQueueSize() > MAX_SEND_QUEUE_BYTES;
      this.#sendsToCheck = this.#overflowing ? 0 : SEND_QUEUE_CHECK_INTERVAL;
    }
    if (this.#overflowing) this.counters.sendOverflows++;
    return this.#overflowing;
  }

  /** One function for all datagrams: no closure a message. */
  readonly #handleSent = (error: Error | null, bytes: number): void => {
    if (error === null) {
      this.counters.datagramsSent++;
      this.counters.bytesSent += bytes;
      return;
    }
    if (this.counters.sendErrors++ > 0 || this.#closing !== null) return;
    this.#logger.warn(`a datagram could not be sent: ${error.message} (further ones are only counted)`);
  };

  readonly #handleMessage = (bytes: Buffer, from: RemoteInfo): void => {
    if (this.#closing !== null) return;
    this.counters.datagramsReceived++;
    this.counters.bytesReceived += bytes.length;
    this.onDatagram(bytes, from.address, from.port);
  };

  readonly #handleError = (error: Error): void => {
    // Somebody's ICMP "port unreachable": the peer is gone or not there yet, and retries deal with that.
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return;
    this.#logger.warn(`UDP socket: ${error.message}`);
  };
}

/** Said once a process: all its sockets meet the same limit. */
let saidBufferTooSmall = false;

function sizeBuffers(socket: Socket, options: BindOptions, logger: Logger): void {
  try {
    socket.setSendBufferSize(options.udpSendBufferBytes);
    socket.setRecvBufferSize(options.udpReceiveBufferBytes);
  } catch (error) {
    logger.warn(`the buffers of the UDP socket stay as the system made them: ${(error as Error).message}`);
    return;
  }
  // Linux reports twice what it grants, for its own book-keeping (socket(7), SO_RCVBUF).
  const granted = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
  if (granted >= options.udpReceiveBufferBytes || saidBufferTooSmall) return;
  saidBufferTooSmall = true;
  const asked = options.udpReceiveBufferBytes;
  logger.warn(
    `UDP receive buffer: asked for ${asked} bytes, the system granted ${granted}; bursts may be lost and sent ` +
      `again. Raise the limit with: sysctl -w net.core.rmem_max=${asked}`,
  );
}
