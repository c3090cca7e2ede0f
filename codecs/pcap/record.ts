/** What a capture file holds, before anything in it is looked at. */
import type { CodecError } from '../bytes/errors.ts';

/** A packet as it was captured. */
export interface Frame {
  readonly kind: 'frame';
  /** Number of the frame in the file, from 1, as every other tool counts them. */
  readonly n: number;
  /** Capture time: seconds since the epoch, and nanoseconds of that second. */
  readonly sec: number;
  readonly nsec: number;
  /** LINKTYPE number of the tcpdump registry. */
  readonly linkType: number;
  /** A view of the pushed bytes where they came in one piece, else a copy. */
  readonly bytes: Buffer;
  /** Length on the wire: larger than `bytes.length` if the capture was told to cut packets (snaplen). */
  readonly originalLength: number;
}

/** A record of the file that makes no sense. */
export interface BadRecord {
  readonly kind: 'bad';
  /** Number of the frame, or of the last one before it. */
  readonly n: number;
  /** Its offset counts from the start of the file. */
  readonly error: CodecError;
  /** True if the rest of the file cannot be read. */
  readonly fatal: boolean;
}

export type CaptureRecord = Frame | BadRecord;

/** Reads the records of one file format from a queue. Throws a CodecError where the file cannot be read further. */
export interface RecordParser {
  readonly format: 'pcap' | 'pcapng';
  /** The next record; null where more bytes are needed. */
  next(): CaptureRecord | null;
  /** True where the file may end: between two records. */
  readonly complete: boolean;
}
