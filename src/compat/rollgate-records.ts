/** Records of our own TCP wire. */

import { DataFlag } from '../../codecs/tcp/v1/data.ts';
import { codeName, GoodbyeCode, RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import type { WireMember } from '../../codecs/tcp/v1/fields.ts';
import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import { DecodedMessage } from './decoded-message.ts';
import type { Origin } from './decoded-message.ts';
import type { GeodePayloads } from './geode-payloads.ts';
import type { RecordAddress, RecordHeader } from './record.ts';

const VERSION = 'rollgate 1';
const NO_FLAGS: readonly string[] = [];

/** One direction of a connection: its frames, with what the handshake said of cluster and members. */
export class RollgateRecords {
  readonly #other: () => RollgateRecords | null;
  readonly #geode: GeodePayloads;
  cluster: string | null = null;
  /** Who sends in this direction, and to whom, as far as the handshake in this direction says. */
  self: RecordAddress | null = null;
  recipient: RecordAddress | null = null;
  /** Ordered and unordered message of which fragments are to come. */
  readonly #unfinished = [false, false];

  /** @param other the other direction, once it is known */
  constructor(other: () => RollgateRecords | null, geode: GeodePayloads) {
    this.#other = other;
    this.#geode = geode;
  }

  record(frame: Frame, origin: Origin): DecodedMessage {
    this.#learn(frame);
    const other = this.#other();
    const content = {
      version: VERSION,
      cluster: this.cluster ?? other?.cluster ?? null,
      dest: other?.self ?? this.recipient,
      src: this.self ?? other?.recipient ?? null,
      flags: frame.type === 'DATA' ? dataFlags(frame.flags) : NO_FLAGS,
      headers: [toHeader(frame)],
      payload: frame.type === 'DATA' || frame.type === 'UNRELIABLE' ? frame.payload : null,
      geode: this.#isWhole(frame) ? this.#geode : null,
    };
    return new DecodedMessage(origin, content, 0, null);
  }

  #learn(frame: Frame): void {
    if (frame.type === 'HELLO') {
      this.cluster = frame.cluster;
      this.self = addressOf(frame.sender);
      this.recipient = { uuid: frame.recipientUuid, host: null, port: null, viewId: null };
    } else if (frame.type === 'WELCOME') {
      this.self = addressOf(frame.acceptor);
    }
  }

  /** A fragment is not. */
  #isWhole(frame: Frame): boolean {
    if (frame.type !== 'DATA') return frame.type === 'UNRELIABLE';
    const kind = (frame.flags & DataFlag.UNORDERED) === 0 ? 0 : 1;
    const more = (frame.flags & DataFlag.MORE) !== 0;
    const isWhole = !more && this.#unfinished[kind] === false;
    this.#unfinished[kind] = more;
    return isWhole;
  }
}

function addressOf({ uuid, host, port, viewId }: WireMember): RecordAddress {
  return { uuid, host, port, viewId };
}

function dataFlags(bits: number): readonly string[] {
  if (bits === 0) return NO_FLAGS;
  return Object.entries(DataFlag).flatMap(([name, bit]) => ((bits & bit) === 0 ? [] : [name]));
}

function toHeader(frame: Frame): RecordHeader {
  const protocol = 'ROLLGATE';
  switch (frame.type) {
    case 'DATA':
      return { protocol, type: frame.type, seqno: frame.seqno };
    case 'UNRELIABLE':
      return { protocol, type: frame.type };
    case 'HELLO':
    case 'WELCOME': {
      const { extensions, ...fields } = frame;
      return { protocol, ...fields, extensions: extensions.length };
    }
    case 'REJECT':
      return { protocol, ...frame, code: codeName(RejectCode, frame.code) };
    case 'GOODBYE':
      return { protocol, ...frame, code: codeName(GoodbyeCode, frame.code) };
    case 'ACK':
    case 'PING':
    case 'PONG':
      return { protocol, ...frame };
  }
}
