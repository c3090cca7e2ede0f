/**
 * What of a member's traffic is not for the eyes of those who read a capture: the application's bytes. Headers stay,
 * and so does every length, so that what the protocols did can still be seen.
 */
import { CodecError } from '../../codecs/bytes/errors.ts';
import { type AnyHeader, type AnyMessage, decodeAnyDatagram } from '../../codecs/jgroups/registry.ts';
import { unknownTail } from '../../codecs/jgroups/unknown-header.ts';
import { FrameType } from '../../codecs/tcp/v1/frame-types.ts';
import { MAX_FRAME_BYTES, PREAMBLE } from '../../codecs/tcp/v1/limits.ts';

/** Kept of a datagram that makes no sense: enough to see whose it may be. */
const KEPT_OF_NONSENSE_BYTES = 64;

/** A long; in 2.12 with a byte before it that says so. */
const MAX_CREDITS_BYTES = 9;

/** Version and flags. */
const DATAGRAM_PREFIX_BYTES = 3;

/**
 * Overwrites the payloads of a datagram of JGroups with zeros, in their place. Those that UNICAST3 and flow control
 * wrote are kept: seqnos that are asked for, and credits. A datagram whose header carries credentials (AUTH) loses
 * all but its version, and one that cannot be decoded all but its first 64 bytes.
 */
export function redactDatagram(bytes: Buffer): void {
  try {
    const datagram = decodeAnyDatagram(bytes, { unknownHeaders: 'opaque' });
    const messages: readonly AnyMessage[] =
      datagram.kind === 'single' ? [datagram.message] : datagram.messages;
    if (messages.some(({ headers }) => headers.some(isCredential))) bytes.fill(0, DATAGRAM_PREFIX_BYTES);
    else for (const message of messages) redactMessage(message);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    bytes.fill(0, KEPT_OF_NONSENSE_BYTES);
  }
}

function isCredential(header: AnyHeader): boolean {
  return header.protocol === 'AUTH';
}

/** What is decoded are views of the bytes. */
function redactMessage({ headers, payload }: AnyMessage): void {
  unknownTail(headers)?.rest.fill(0);
  if (payload === null || headers.some((header) => isOfProtocol(header, payload))) return;
  payload.fill(0);
}

/** The payload is the protocol's own: which seqnos, how many credits (WIRE-3.6 sections 5 and 9). */
function isOfProtocol(header: AnyHeader, payload: Uint8Array): boolean {
  switch (header.protocol) {
    case 'UNICAST3':
      return header.type === 'XMIT_REQ';
    case 'UFC':
    case 'MFC':
    case 'FC':
      return payload.length <= MAX_CREDITS_BYTES;
    default:
      return false;
  }
}

/** Bytes of a frame's body that are kept; those of the others are all kept. */
const KEPT_OF_BODY: Readonly<Record<number, number>> = {
  [FrameType.DATA]: 9, // seqno, flags
  [FrameType.UNRELIABLE]: 1, // flags
};

const LAST_FRAME_TYPE = Math.max(...Object.values(FrameType));

/**
 * Overwrites the payloads in one direction of a TCP connection of ours with zeros. From where the bytes do not follow
 * our wire on, all of them are: whatever a stranger says is none of ours to keep.
 */
export class StreamRedactor {
  #preamble: number;
  /** Bytes of the current frame's head that have come. */
  #head = 0;
  #length = 0;
  /** Of the body: bytes that are kept, and then those that are not. */
  #keep = 0;
  #wipe = 0;

  /** @param fromConnector true: begins with the preamble */
  constructor(fromConnector: boolean) {
    this.#preamble = fromConnector ? 0 : PREAMBLE.length;
  }

  /** Takes the next bytes of the stream, and changes them in their place. */
  redact(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#keep > 0) {
        const count = Math.min(this.#keep, bytes.length - at);
        this.#keep -= count;
        at += count;
      } else if (this.#wipe > 0) {
        const count = Math.min(this.#wipe, bytes.length - at);
        bytes.fill(0, at, at + count);
        this.#wipe -= count;
        at += count;
      } else {
        this.#takeHead(bytes[at] as number);
        if (this.#wipe < Infinity) at++; // else this byte is wrong already
      }
    }
  }

  #takeHead(byte: number): void {
    if (this.#preamble < PREAMBLE.length) {
      if (byte !== PREAMBLE[this.#preamble++]) this.#wipe = Infinity;
    } else if (this.#head < 4) {
      this.#length = this.#length * 256 + byte;
      this.#head++;
      if (this.#head === 4 && (this.#length === 0 || this.#length > MAX_FRAME_BYTES)) this.#wipe = Infinity;
    } else {
      this.#beginBody(byte, this.#length - 1);
      this.#head = 0;
      this.#length = 0;
    }
  }

  #beginBody(type: number, bytes: number): void {
    const known = type >= 1 && type <= LAST_FRAME_TYPE;
    this.#keep = known ? Math.min(KEPT_OF_BODY[type] ?? bytes, bytes) : 0;
    this.#wipe = bytes - this.#keep;
  }
}

/** For `record: { redact: 'payloads' }`. */
export const PAYLOAD_REDACTOR = {
  comment: 'Redacted: the payloads of messages are zeros.',
  datagram: redactDatagram,
  stream(fromConnector: boolean): (copy: Buffer) => void {
    const redactor = new StreamRedactor(fromConnector);
    return (copy) => redactor.redact(copy);
  },
} as const;
