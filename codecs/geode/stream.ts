/**
 * What one direction of a TCP connection carries: a request to a locator or its answer, a question on a
 * failure-detection port or its answer, or something else. Told by its first bytes, for the ports are free to choose:
 *
 *     00 00 03 ea, 00 00 03 e9         request to a locator
 *     ordinal i16 in 35..1000          failure-detection request, 22 bytes (a locator's begins with 00 00)
 *     2d 2b, name in the locator's package; 02 ff 70; 02 ff 6e        answer of a locator
 *     `unknown protocol version`       refusal of a locator
 *     7b and no more                   answer of failure detection
 *
 * An answer is known best by what was asked: give the decoder of the other direction where there is one.
 */

import { CodecError, TruncatedError } from '../bytes/errors.ts';
import { MAX_LOCATOR_BYTES } from '../bytes/limits.ts';
import type { FailureDetectionRequest } from './failure-detection.ts';
import {
  decodeFailureDetectionRequest,
  decodeFailureDetectionResponse,
  FAILURE_DETECTION_REQUEST_BYTES,
} from './failure-detection.ts';
import { MessageDsfid } from './ids.ts';
import type { LocatorObject, LocatorRequest } from './locator.ts';
import {
  decodeLocatorRequest,
  decodeLocatorResponse,
  GOSSIP_VERSION,
  OLD_GOSSIP_VERSION,
  REFUSAL,
  TCPSERVER_PACKAGE,
} from './locator.ts';
import { OLDEST_ORDINAL, ORDINAL_1_15 } from './versions.ts';

export type StreamKind = 'locator' | 'failure-detection' | 'unknown';

export type StreamMessage =
  | ({ readonly type: 'locator-request' } & LocatorRequest)
  | { readonly type: 'locator-response'; readonly object: LocatorObject }
  | { readonly type: 'locator-refusal' }
  | ({ readonly type: 'failure-detection-request' } & FailureDetectionRequest)
  | { readonly type: 'failure-detection-response'; readonly ok: boolean };

type Role = StreamMessage['type'] | 'unknown';

/** No release has a higher ordinal; a larger one would be another protocol's bytes. */
const MAX_PLAUSIBLE_ORDINAL = 1000;

/** A "yes" of failure detection. */
const YES = 0x7b;

const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];

/** Each a beginning by which a direction is known. */
const BEGINNINGS: readonly (readonly [Role, Buffer])[] = [
  ['locator-request', Buffer.from([0, 0, ...u16(GOSSIP_VERSION)])],
  ['locator-request', Buffer.from([0, 0, ...u16(OLD_GOSSIP_VERSION)])],
  ['locator-refusal', Buffer.from(REFUSAL, 'latin1')],
  ['locator-response', Buffer.from([0x02, ...u16(MessageDsfid.FindCoordinatorResponse)])],
  ['locator-response', Buffer.from([0x02, ...u16(MessageDsfid.GetViewResponse)])],
  ...['VersionResponse', 'InfoResponse', 'ShutdownResponse'].map((name): [Role, Buffer] => {
    const text = TCPSERVER_PACKAGE + name;
    return ['locator-response', Buffer.from([0x2d, 0x2b, 0x57, ...u16(text.length), ...ascii(text)])];
  }),
];

/** Below it every push is tried; above it no more than `MAX_TRIES` are, and then the end of the stream decides. */
const ALWAYS_TRIED_BYTES = 4096;
const MAX_TRIES = 64;

/** One direction of a connection, from its first byte. Each carries one message at most. */
export class GeodeStream {
  #role: Role | null = null;
  #peer: GeodeStream | null = null;
  #message: StreamMessage | null = null;
  #done = false;
  #complained = false;
  #tries = 0;
  /** The first `#length` bytes are what has come. */
  #buffer: Buffer = Buffer.alloc(64);
  #length = 0;

  /** @param peer the other direction, if it is decoded too; it learns of this one */
  constructor(peer: GeodeStream | null = null) {
    this.#peer = peer;
    if (peer !== null) peer.#peer = this;
  }

  /** Null until enough bytes have come to tell. */
  get kind(): StreamKind | null {
    if (this.#role === null || this.#role === 'unknown') return this.#role;
    return this.#role.startsWith('locator') ? 'locator' : 'failure-detection';
  }

  /**
   * Takes the next bytes; they are copied. Returns the message once it is complete.
   * @throws {CodecError} if they break the format. Nothing more comes of this stream then.
   */
  push(bytes: Uint8Array): StreamMessage | null {
    if (this.#role === 'unknown' || bytes.length === 0) return null;
    if (this.#done) return this.#trailing();
    this.#append(bytes);
    this.#role ??= this.#recognise(false);
    return this.#next(false);
  }

  /**
   * No more bytes come: decides what their number left open.
   * @throws {CodecError} `ERR_TRUNCATED` if the message is not complete
   */
  end(): StreamMessage | null {
    if (this.#length === 0 || this.#done) {
      this.#role ??= this.#answerRole() ?? 'unknown';
      return null;
    }
    this.#role ??= this.#recognise(true) ?? 'unknown';
    return this.#next(true);
  }

  // --- recognition ---

  /** What the other direction makes of this one. */
  #answerRole(): Role | null {
    const peer = this.#peer;
    if (peer === null) return null;
    if (peer.#role === 'locator-request') return 'locator-response';
    return peer.#role === 'failure-detection-request' ? 'failure-detection-response' : null;
  }

  #recognise(ended: boolean): Role | null {
    const answer = this.#answerRole();
    if (answer !== null) return answer;
    const bytes = this.#buffer.subarray(0, this.#length);
    let open = false;
    for (const [role, beginning] of BEGINNINGS) {
      const common = Math.min(bytes.length, beginning.length);
      if (bytes.compare(beginning, 0, common, 0, common) !== 0) continue;
      if (bytes.length >= beginning.length) return role;
      open = true;
    }
    if (open && !ended) return null;
    if (bytes.length === 1 && bytes[0] === YES) return ended ? 'failure-detection-response' : null;
    if (bytes.length < 2 || bytes.length > FAILURE_DETECTION_REQUEST_BYTES) return 'unknown';
    const ordinal = bytes.readInt16BE(0);
    const plausible = ordinal >= OLDEST_ORDINAL && ordinal <= MAX_PLAUSIBLE_ORDINAL;
    return plausible ? 'failure-detection-request' : 'unknown';
  }

  // --- bytes to messages ---

  #next(ended: boolean): StreamMessage | null {
    const role = this.#role;
    if (role === 'unknown') this.#forget();
    if (role === null || role === 'unknown') return null;
    if (!ended && this.#length > ALWAYS_TRIED_BYTES && this.#tries++ >= MAX_TRIES) return null;
    let message: StreamMessage;
    try {
      message = this.#decode(role);
    } catch (error) {
      if (!ended && error instanceof TruncatedError) return null;
      this.#forget();
      throw error;
    }
    // What is opaque takes all there is, so only the end of the stream ends it.
    if ('object' in message && message.object.type === 'opaque' && !ended) return null;
    this.#message = message;
    this.#forget();
    return message;
  }

  #decode(role: Exclude<Role, 'unknown'>): StreamMessage {
    const bytes = this.#buffer.subarray(0, this.#length);
    switch (role) {
      case 'locator-request':
        return { type: role, ...decodeLocatorRequest(bytes) };
      case 'locator-response': {
        const asked = this.#peer === null ? null : this.#peer.#message;
        const ordinal = asked?.type === 'locator-request' ? asked.ordinal : ORDINAL_1_15;
        return { type: role, object: decodeLocatorResponse(bytes, ordinal) };
      }
      case 'locator-refusal':
        if (bytes.length > REFUSAL.length) {
          throw new CodecError(
            'ERR_TRAILING_BYTES',
            REFUSAL.length,
            'locator.refusal',
            'bytes are left over',
          );
        }
        return { type: role };
      case 'failure-detection-request':
        return { type: role, ...decodeFailureDetectionRequest(bytes) };
      case 'failure-detection-response':
        return { type: role, ok: decodeFailureDetectionResponse(bytes) };
    }
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > MAX_LOCATOR_BYTES) {
      this.#forget();
      throw new CodecError('ERR_LIMIT', this.#length, 'stream', `more than ${MAX_LOCATOR_BYTES} bytes`);
    }
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  #trailing(): null {
    if (this.#message === null || this.#complained) return null;
    this.#complained = true;
    throw new CodecError(
      'ERR_TRAILING_BYTES',
      this.#length,
      this.#message.type,
      'bytes follow the one message',
    );
  }

  /** Byte fields of a message are views of the buffer, so it is left to them. */
  #forget(): void {
    this.#done = true;
    this.#buffer = Buffer.alloc(0);
  }
}
