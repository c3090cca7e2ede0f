/**
 * The encoder of a member that sends many messages to the same peers. It writes the same bytes as `encodeDatagram`,
 * but addresses and the transport's header become bytes only once, and a payload need not be copied.
 */

import { CodecError } from '../../bytes/errors.ts';
import { ByteWriter } from '../../bytes/writer.ts';
import type { Address, Header, Message, TpHeader } from '../message.ts';
import { addressSize, writeAddress } from './address.ts';
import { DatagramFlag } from './datagram.ts';
import { headerSize, writeHeader } from './headers/index.ts';
import { Leading } from './message.ts';
import { shortStringSize, writeShortString } from './primitives.ts';

/** A message without the transport's header. */
export interface OutgoingMessage extends Pick<Message, 'dest' | 'flags' | 'headers' | 'payload'> {
  /** Whose it is, where it is not the member's own: one that is sent again for somebody else. */
  readonly src?: Address;
}

/** Version, flags, leading byte, flags of the message, number of headers. */
const SINGLE_BYTES = 2 + 1 + 1 + 2 + 2;
/** Version, flags, number of messages. */
const LIST_BYTES = 2 + 1 + 4;
/** Leading byte, flags, number of headers. */
const LISTED_BYTES = 1 + 2 + 2;
/** Of a message to a group there is no destination, of one in a list neither address. */
const NO_BYTES = new Uint8Array(0);
const NULL_ADDRESS = addressBytes(null);

export class MessageEncoder {
  readonly #version: number;
  readonly #srcBytes: Uint8Array;
  /** Of the transport's header. */
  readonly #tpBytes: Uint8Array;
  /** Of the cluster's name alone, as in a list. */
  readonly #clusterBytes: Uint8Array;
  /**
   * By object: a view's addresses serve until the next one. Entries go when nobody else has the address. A character
   * stands for each byte: of 24 bytes a string takes 40 and an array 232, and there are thousands of idle peers.
   */
  readonly #destText = new WeakMap<Address, string>();
  #lastDest: Address | null = null;
  #lastDestBytes: Uint8Array = NO_BYTES;

  /**
   * @param version of the datagrams
   * @param src the member itself
   * @throws {CodecError} `ERR_VALUE` for what the wire cannot carry
   */
  constructor(version: number, src: Address, cluster: string) {
    this.#version = version;
    this.#srcBytes = addressBytes(src);
    const tp: TpHeader = { protocol: 'TP', cluster };
    const header = new ByteWriter(headerSize(tp));
    writeHeader(header, tp);
    this.#tpBytes = header.finish();
    const name = new ByteWriter(shortStringSize(cluster));
    writeShortString(name, cluster, 'bundle.cluster');
    this.#clusterBytes = name.finish();
  }

  // --- one message -----------------------------------------------------------------------------------------

  /**
   * A datagram of one message.
   * @throws {CodecError} `ERR_VALUE` for what the wire cannot carry
   */
  encode(message: OutgoingMessage): Buffer {
    const { payload } = message;
    const writer = this.#writeHead(message, payload?.length ?? 0);
    if (payload !== null) writer.bytes(payload);
    return writer.finish();
  }

  /** As `encode`, all that stands before the payload: the datagram is this and the payload behind it. */
  encodeHead(message: OutgoingMessage): Buffer {
    return this.#writeHead(message, 0).finish();
  }

  /** @param room for so many bytes behind it */
  #writeHead(message: OutgoingMessage, room: number): ByteWriter {
    const { dest, src, flags, headers, payload } = message;
    const destBytes = dest === null ? NO_BYTES : this.#bytesOf(dest);
    const srcBytes = src === undefined ? this.#srcBytes : addressBytes(src);
    let size = SINGLE_BYTES + destBytes.length + srcBytes.length + this.#tpBytes.length + room;
    if (payload !== null) size += 4;
    const writer = new ByteWriter(size + headersSize(headers));
    writer.u16(this.#version, 'version');
    writer.u8(dest === null ? DatagramFlag.MULTICAST : 0);
    writer.u8((dest === null ? 0 : Leading.DEST) | Leading.SRC | (payload === null ? 0 : Leading.PAYLOAD));
    writer.u16(flags, 'message.flags');
    writer.bytes(destBytes);
    writer.bytes(srcBytes);
    writer.u16(headers.length + 1, 'message.nhdrs');
    for (const header of headers) writeHeader(writer, header);
    writer.bytes(this.#tpBytes);
    if (payload !== null) writer.i32(payload.length);
    return writer;
  }

  // --- a list of messages ----------------------------------------------------------------------------------

  /**
   * A datagram of a list of messages to one destination.
   * @param dest null: to the group
   * @throws {CodecError} `ERR_VALUE` for what the wire cannot carry
   */
  encodeList(dest: Address | null, messages: readonly OutgoingMessage[]): Buffer {
    let size = this.listSize(dest);
    for (const message of messages) size += this.listedSize(message);
    const writer = new ByteWriter(size);
    writer.u16(this.#version, 'version');
    writer.u8(DatagramFlag.LIST | (dest === null ? DatagramFlag.MULTICAST : 0));
    writer.bytes(dest === null ? NULL_ADDRESS : this.#bytesOf(dest));
    writer.bytes(this.#srcBytes);
    writer.bytes(this.#clusterBytes);
    writer.u32(messages.length);
    for (const message of messages) writeListed(writer, message);
    return writer.finish();
  }

  /** Bytes of a list without messages. */
  listSize(dest: Address | null): number {
    const destBytes = dest === null ? NULL_ADDRESS : this.#bytesOf(dest);
    return LIST_BYTES + destBytes.length + this.#srcBytes.length + this.#clusterBytes.length;
  }

  /** Bytes that a message takes in a list. */
  listedSize({ src, headers, payload }: OutgoingMessage): number {
    const size = LISTED_BYTES + headersSize(headers) + (payload === null ? 0 : 4 + payload.length);
    return src === undefined ? size : size + addressSize(src);
  }

  #bytesOf(dest: Address): Uint8Array {
    if (dest === this.#lastDest) return this.#lastDestBytes;
    const text = this.#destText.get(dest);
    const bytes = text === undefined ? addressBytes(dest) : bytesOfText(text);
    if (text === undefined) this.#destText.set(dest, String.fromCharCode(...bytes));
    this.#lastDest = dest;
    this.#lastDestBytes = bytes;
    return bytes;
  }
}

/** A list says once who it is from and for. */
function writeListed(writer: ByteWriter, { src, flags, headers, payload }: OutgoingMessage): void {
  writer.u8((src === undefined ? 0 : Leading.SRC) | (payload === null ? 0 : Leading.PAYLOAD));
  writer.u16(flags, 'message.flags');
  if (src !== undefined) writeAddress(writer, src, 'message.src');
  writer.u16(headers.length, 'message.nhdrs');
  for (const header of headers) writeHeader(writer, header);
  if (payload === null) return;
  writer.i32(payload.length);
  writer.bytes(payload);
}

/** @throws {CodecError} `ERR_VALUE` for an unknown header: what stands behind one cannot be told apart */
function headersSize(headers: readonly Header[]): number {
  let size = 0;
  for (const header of headers) {
    if (header.protocol === 'UNKNOWN')
      throw new CodecError('ERR_VALUE', 0, 'message.headers', 'an unknown header');
    size += headerSize(header);
  }
  return size;
}

function bytesOfText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Kept for long: a copy of its own, for a slice of Buffer's pool would keep 8 KiB. */
function addressBytes(address: Address | null): Uint8Array {
  const writer = new ByteWriter(addressSize(address));
  writeAddress(writer, address, 'address');
  return new Uint8Array(writer.finish());
}
