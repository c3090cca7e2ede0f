/**
 * One direction of a connection of JGroups' TCP transport (WIRE-3.6 section 3d): frames of an int length and a
 * datagram. The initiator's side begins with who it is:
 *
 *     "bela"   version u16   [address length u16 (not in 2.12)]   IpAddress body
 */

import { CodecError } from '../bytes/errors.ts';
import { ByteReader } from '../bytes/reader.ts';
import { ChunkQueue } from '../pcap/chunk-queue.ts';
import type { IpAddress } from './address.ts';
import { decodeAnyDatagram, wireVersion } from './registry.ts';
import { readIpAddress } from './v2_12/address.ts';
import { readIpBody } from './v3_6/address.ts';

/**
 * Java sets no limit. With FRAG2, which all stacks over TCP have, a frame stays under 64 KiB; without it an
 * application may send a few MiB at once.
 */
export const MAX_TCP_FRAME_BYTES = 8 * 1024 * 1024;

/** A stream that has had no frame in this many bytes, which is more than any frame, is something else. */
const MAX_RESYNC_BYTES = 2 * MAX_TCP_FRAME_BYTES;

/** While a frame is searched for, only one of this size is believed: bundles and fragments are under 64 KiB. */
const MAX_FOUND_FRAME_BYTES = 256 * 1024;

/** What looks like a frame and is none happens once in 2^37 bytes; more of it is a forgery that costs time. */
const MAX_FALSE_FRAMES = 64;

const COOKIE = 0x62656c61; // "bela"
/** Cookie, version, length, and the largest address: 2.12's with additional data is longer, but nobody sets it. */
const MAX_HELLO_BYTES = 64;
/** Length, version and flags: what a frame is known by. */
const FRAME_START_BYTES = 7;

export type TcpFrameItem =
  /** The initiator's introduction: its version and its server's address. */
  | {
      readonly kind: 'hello';
      readonly offset: number;
      readonly version: number;
      readonly address: IpAddress;
    }
  /** A datagram; `offset` is that of its length field in the stream. `bytes` are a view of the input where they can be. */
  | { readonly kind: 'frame'; readonly offset: number; readonly bytes: Buffer }
  /** Bytes that are no frame: the rest of one whose beginning is missing, or damaged. */
  | { readonly kind: 'skipped'; readonly offset: number; readonly length: number }
  /** From here on, and as far as seen, not JGroups' transport. Said once; what follows is passed over. */
  | { readonly kind: 'foreign'; readonly offset: number };

/**
 * Cuts a stream into datagrams, whatever the pieces in which its bytes come. Where it does not know where a frame
 * begins (in mid-connection, behind a gap or a damaged length), it looks for one: a plausible length, a known
 * version, and a datagram that decodes. Frames that are cut out in sequence are not decoded.
 *
 *     for (const item of decoder.push(chunk)) if (item.kind === 'frame') decodeAnyDatagram(item.bytes)
 */
export class TcpFrameDecoder {
  readonly #queue = new ChunkQueue();
  /** `start`: nothing seen yet. `frames`: at a frame. `search`: somewhere. `foreign`: given up. */
  #state: 'start' | 'frames' | 'search' | 'foreign' = 'start';
  /** Whether the first byte is the connection's first, so that it must make sense. */
  readonly #fromStart: boolean;
  /** Bytes that the stream has and we never got, before the queue's position. */
  #missing = 0;
  /** Bytes passed over since the last frame, and where they began. */
  #skipped = 0;
  #skippedFrom = 0;
  /** What looked like a frame in these bytes and was none. */
  #falseFrames = 0;
  #recognised = false;

  constructor(options: { readonly fromStart: boolean }) {
    this.#fromStart = options.fromStart;
  }

  /** Position in the stream of the next byte that is not yet told of. */
  get offset(): number {
    return this.#queue.position + this.#missing;
  }

  push(bytes: Uint8Array): TcpFrameItem[] {
    const items: TcpFrameItem[] = [];
    this.#queue.push(bytes);
    while (this.#step(items));
    return items;
  }

  /** `length` bytes of the stream are missing between what was pushed and what will be. */
  gap(length: number): TcpFrameItem[] {
    const items: TcpFrameItem[] = [];
    if (this.#state !== 'foreign') {
      this.#skip(this.#queue.available);
      this.#flushSkipped(items);
      this.#state = 'search';
    }
    this.#missing += length;
    return items;
  }

  /** To be called once, after the last byte. */
  end(): TcpFrameItem[] {
    const items: TcpFrameItem[] = [];
    if (this.#state === 'foreign') return items;
    this.#skip(this.#queue.available);
    if (this.#recognised) this.#flushSkipped(items);
    else if (this.#skipped > 0) this.#giveUp(items);
    return items;
  }

  /** Does what can be done with the bytes that are there; false if more are needed. */
  #step(items: TcpFrameItem[]): boolean {
    switch (this.#state) {
      case 'start':
        return this.#begin(items);
      case 'frames':
        return this.#cutFrame(items);
      case 'search':
        return this.#search(items);
      case 'foreign':
        this.#queue.skip(this.#queue.available);
        return false;
    }
  }

  #begin(items: TcpFrameItem[]): boolean {
    const queue = this.#queue;
    if (!queue.ensure(4)) return false;
    if (queue.buffer.readUInt32BE(queue.offset) === COOKIE) return this.#readHello(items);
    if (!queue.ensure(FRAME_START_BYTES)) return false;
    if (isFrameStart(queue.buffer, queue.offset)) this.#state = 'frames';
    else if (this.#fromStart) this.#giveUp(items);
    else this.#state = 'search';
    return true;
  }

  #readHello(items: TcpFrameItem[]): boolean {
    const queue = this.#queue;
    queue.ensure(Math.min(queue.available, MAX_HELLO_BYTES));
    const reader = new ByteReader(queue.buffer, queue.offset + 4);
    try {
      const version = reader.u16('hello.version');
      const address = readHelloAddress(reader, version);
      items.push({ kind: 'hello', offset: this.offset, version, address });
      queue.skip(reader.offset - queue.offset);
      this.#recognised = true;
      this.#state = 'frames';
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      if (error.code === 'ERR_TRUNCATED' && queue.available < MAX_HELLO_BYTES) return false;
      this.#giveUp(items);
    }
    return true;
  }

  #cutFrame(items: TcpFrameItem[]): boolean {
    const queue = this.#queue;
    if (!queue.ensure(FRAME_START_BYTES)) return false;
    if (!isFrameStart(queue.buffer, queue.offset)) {
      this.#state = 'search';
      return true;
    }
    const length = queue.buffer.readUInt32BE(queue.offset);
    if (!queue.ensure(4 + length)) return false;
    this.#takeFrame(length, items);
    return true;
  }

  #takeFrame(length: number, items: TcpFrameItem[]): void {
    const queue = this.#queue;
    this.#flushSkipped(items);
    const start = queue.offset + 4;
    const bytes = queue.buffer.subarray(start, start + length);
    items.push({ kind: 'frame', offset: this.offset, bytes });
    queue.skip(4 + length);
    this.#recognised = true;
    this.#falseFrames = 0;
  }

  #search(items: TcpFrameItem[]): boolean {
    const queue = this.#queue;
    while (queue.ensure(FRAME_START_BYTES)) {
      const { buffer, offset } = queue;
      const last = buffer.length - FRAME_START_BYTES;
      let at = offset;
      while (at <= last && !isFrameStart(buffer, at, MAX_FOUND_FRAME_BYTES)) at++;
      this.#skip(at - offset);
      if (this.#skipped > MAX_RESYNC_BYTES || this.#falseFrames > MAX_FALSE_FRAMES) {
        this.#giveUp(items);
        return true;
      }
      if (at > last) continue;
      const length = buffer.readUInt32BE(at);
      if (!queue.ensure(4 + length)) return false;
      if (decodes(queue.buffer.subarray(queue.offset + 4, queue.offset + 4 + length))) {
        this.#takeFrame(length, items);
        this.#state = 'frames';
        return true;
      }
      this.#falseFrames++;
      this.#skip(1);
    }
    return false;
  }

  #skip(length: number): void {
    if (length === 0) return;
    if (this.#skipped === 0) this.#skippedFrom = this.offset;
    this.#skipped += length;
    this.#queue.skip(length);
  }

  #flushSkipped(items: TcpFrameItem[]): void {
    if (this.#skipped === 0) return;
    items.push({ kind: 'skipped', offset: this.#skippedFrom, length: this.#skipped });
    this.#skipped = 0;
  }

  #giveUp(items: TcpFrameItem[]): void {
    items.push({ kind: 'foreign', offset: this.#skipped === 0 ? this.offset : this.#skippedFrom });
    this.#skipped = 0;
    this.#state = 'foreign';
  }
}

function isFrameStart(buffer: Buffer, at: number, maxBytes = MAX_TCP_FRAME_BYTES): boolean {
  // the cheapest test first: no length that is allowed has anything in its first byte
  if (buffer[at] !== 0) return false;
  const length = buffer.readUInt32BE(at);
  if (length < 3 || length > maxBytes) return false;
  return (buffer[at + 6] as number) <= 7 && wireVersion(buffer.readUInt16BE(at + 4)) !== undefined;
}

function decodes(bytes: Buffer): boolean {
  try {
    decodeAnyDatagram(bytes, { unknownHeaders: 'opaque' });
    return true;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

function readHelloAddress(reader: ByteReader, version: number): IpAddress {
  const at = reader.offset;
  switch (wireVersion(version)?.name) {
    case '3.6': {
      const length = reader.u16('hello.address-length');
      const start = reader.offset;
      const address = readIpBody(reader, 'hello.address');
      if (reader.offset - start === length) return address;
      throw new CodecError('ERR_VALUE', at, 'hello.address-length', `${length} is not its length`);
    }
    case '2.12':
      return readIpAddress(reader, 'hello.address');
    default:
      throw new CodecError('ERR_VERSION', at, 'hello.version', `0x${version.toString(16)} is unknown`);
  }
}
