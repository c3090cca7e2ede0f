/** What a capture says, packet by packet. */
import type { CodecError } from '../bytes/errors.ts';
import type { Endpoint } from './endpoint.ts';

interface Item {
  /** Number of the frame in the file, from 1. */
  readonly n: number;
  /** Capture time: seconds since the epoch, and nanoseconds of that second. */
  readonly sec: number;
  readonly nsec: number;
}

/** A UDP datagram. One that came in IP fragments has the number and time of the frame that completed it. */
export interface UdpItem extends Item {
  readonly kind: 'udp';
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** A view of the captured bytes, or of the reassembled packet. */
  readonly payload: Buffer;
}

/** One direction of a TCP connection: the same object in all its items. */
export interface TcpStream {
  /** From 1, in the order of appearance. */
  readonly id: number;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** False if the connection was older than the capture: the first byte is in the middle of something. */
  readonly fromStart: boolean;
}

/** The next bytes of a stream, with the number and time of the frame that held them. */
export interface TcpItem extends Item {
  readonly kind: 'tcp';
  readonly stream: TcpStream;
  /** Bytes of the stream before these, gaps included. */
  readonly offset: number;
  readonly payload: Buffer;
}

/** Bytes of a stream that the capture does not have. */
export interface TcpGapItem extends Item {
  readonly kind: 'tcp-gap';
  readonly stream: TcpStream;
  readonly offset: number;
  readonly length: number;
}

/** `closed` by a FIN, `reset`, `reused` by a new connection, `forgotten` for memory's sake, or the capture's `end`. */
export type TcpEndReason = 'closed' | 'reset' | 'reused' | 'forgotten' | 'end';

/** Nothing of this stream follows. */
export interface TcpEndItem extends Item {
  readonly kind: 'tcp-end';
  readonly stream: TcpStream;
  /** Bytes of the whole stream, gaps included. */
  readonly offset: number;
  readonly reason: TcpEndReason;
}

/** A fragmented IP packet of which fragments never came; frame and time are those of its first fragment. */
export interface IncompleteItem extends Item {
  readonly kind: 'incomplete';
  /** IP literals. */
  readonly from: string;
  readonly to: string;
  /** Payload bytes that did come. */
  readonly received: number;
  readonly reason: 'timeout' | 'forgotten' | 'end';
}

/** A packet that is neither UDP nor TCP over IP: not an error, not looked into. */
export interface OtherItem extends Item {
  readonly kind: 'other';
  /** E.g. `EtherType 0x0806`, `IP protocol 1`, `link type 147`. */
  readonly what: string;
}

/** A packet, or a record of the file, that breaks its format. */
export interface ErrorItem extends Item {
  readonly kind: 'error';
  /** Its offset counts from the start of the frame, or of the reassembled packet; of the file if `inFile`. */
  readonly error: CodecError;
  readonly inFile: boolean;
  /** True if only the capture is to blame: it was told to keep no more of each packet (snaplen). */
  readonly cut: boolean;
  /** True if the rest of the file cannot be read. */
  readonly fatal: boolean;
  /** Of which datagram or segment; null where the packet was not read so far. */
  readonly packet: BrokenPacket | null;
}

/** What is known of a datagram or segment that is not all there. */
export interface BrokenPacket {
  readonly transport: 'udp' | 'tcp';
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The bytes of its payload that are there. */
  readonly payload: Buffer;
}

export type CaptureItem =
  UdpItem | TcpItem | TcpGapItem | TcpEndItem | IncompleteItem | OtherItem | ErrorItem;

/** Seconds since the epoch, exact to about 200 ns: what a JSON line and the difference of two times need. */
export function seconds(time: { readonly sec: number; readonly nsec: number }): number {
  return time.sec + time.nsec / 1e9;
}
