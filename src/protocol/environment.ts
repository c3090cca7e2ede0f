import type { Logger } from './logger.ts';
import type { Rng } from './rng.ts';
import type { StreamSecurity, TlsPolicy } from './security.ts';

/**
 * What a messenger needs of the world: a clock, timers, randomness, sockets. `src/io` gives the real one, the
 * simulator in `test/sim` a virtual one; the messengers are the same code in both.
 */
export interface Environment {
  /** Milliseconds, monotonic, from an arbitrary start. */
  nowMs(): number;
  /** One-shot timer; `callback` runs at or after the deadline that was set last. */
  createTimer(callback: () => void): Timer;
  readonly rng: Rng;
  readonly logger: Logger;
  /** What its streams are held to; null or absent: TLS was not spoken of, all is plaintext. */
  readonly tls?: TlsPolicy | null;
  /**
   * Binds one port number, on UDP, TCP or both. If either half is taken, both move on to the next port of the range.
   * @throws {TransportError} `EADDRINUSE` naming the range that was tried, or node's code for another failure
   */
  bind(options: BindOptions): Promise<PortPair>;
}

export interface Timer {
  /** (Re)arms the timer. */
  set(deadlineMs: number): void;
  clear(): void;
}

export interface BindOptions {
  /** IP literal. */
  readonly host: string;
  /** First and last port to try; 0,0 takes any free one. */
  readonly ports: readonly [number, number];
  readonly udp: boolean;
  readonly tcp: boolean;
  /** SO_RCVBUF and SO_SNDBUF of the UDP socket. */
  readonly udpReceiveBufferBytes: number;
  readonly udpSendBufferBytes: number;
  /** Also hear datagrams to this multicast address; what cannot do so leaves `PortPair.multicast` out. */
  readonly multicast?: {
    readonly address: string;
    readonly port: number;
    /** Of datagrams to it: hops, 0 for this machine only. */
    readonly ttl?: number;
    /** SO_RCVBUF of the socket that hears it. Default: as the UDP socket's. */
    readonly receiveBufferBytes?: number;
  };
}

/** Both halves of a port. A half that was not asked for is null. */
export interface PortPair {
  readonly host: string;
  readonly port: number;
  readonly udp: DatagramSocket | null;
  readonly tcp: StreamListener | null;
  /** Hears the multicast address that was asked for. Datagrams to it are sent by `udp`, as JGroups 3.6 does. */
  readonly multicast?: DatagramSocket | null;
}

export interface DatagramSocket {
  /** Set before the first datagram can arrive, i.e. in the same turn in which `bind` resolves. */
  onDatagram: (bytes: Uint8Array, host: string, port: number) => void;
  /** Fire and forget: a datagram that cannot be sent is lost and counted, as on the wire. `bytes` must not change later. */
  send(bytes: Uint8Array, host: string, port: number): void;
  /** As `send`, of one datagram in two parts, which are not copied. A socket that cannot do that leaves it out. */
  sendParts?(head: Uint8Array, body: Uint8Array, host: string, port: number): void;
  /** Idempotent; resolves once the port is free. */
  close(): Promise<void>;
}

export interface StreamListener {
  /** Asked first of each connection that others open. False: it is reset, with nothing read, and told of no further. */
  admits: (host: string) => boolean;
  onConnection: (stream: Stream) => void;
  /**
   * Opens a connection to another member's listener; failure shows as `onClose`.
   * @param peer a key of who is believed to be there, its uuid: what was learned of a peer does not hold for the next
   */
  connect(host: string, port: number, peer?: string): Stream;
  /** Stops accepting and destroys what is open. Idempotent; resolves once the port is free. */
  close(): Promise<void>;
}

/** One TCP connection (or TLS over it). Callbacks are set in the turn in which the stream is handed out. */
export interface Stream {
  readonly remoteHost: string;
  readonly remotePort: number;
  /** How it is protected, from `onOpen` or the first `onData` on; null or absent: not at all. */
  readonly security?: StreamSecurity | null;
  onOpen: () => void;
  onData: (bytes: Uint8Array) => void;
  /** After `write` returned false: room again. */
  onDrain: () => void;
  /** Exactly once, after failure, end or `destroy()`. `error` is null for an orderly end. */
  onClose: (error: Error | null) => void;
  /** False: the transport's buffer is full; the bytes are taken all the same. `bytes` must not change later. */
  write(bytes: Uint8Array): boolean;
  /** What is written until `uncork` leaves together: one system call for a turn's batches. A stream may do without. */
  cork?(): void;
  uncork?(): void;
  /** Writes out what is buffered, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}
