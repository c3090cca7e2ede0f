import { CodecError } from '../../codecs/bytes/errors.ts';
import { decodePayload, describePayload } from '../../codecs/geode/index.ts';
import type { ClearPayload, EssentialId, GeodePayload, Json, JsonObject } from '../../codecs/geode/index.ts';

/** Past it the memory starts afresh, which costs only time. */
const MAX_REMEMBERED = 16_384;

/** Flags that a sender id is ever written with (GEODE-WIRE section 2.2). */
const MAX_SENDER_FLAGS = 3;

/** Reads what Geode puts into messages. Few members say much, so each sender is described once. */
export class GeodePayloads {
  readonly #senders = new Map<string, readonly [EssentialId, Json]>();

  /** Null for a payload that is not Geode's, or damaged. */
  describe(bytes: Uint8Array): JsonObject | null {
    if (!startsAsPayload(bytes)) return null;
    try {
      const payload = decodePayload(bytes);
      return isPlausible(payload) ? this.#describe(payload) : null;
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  }

  /** As `describePayload`, but for an application's own class, which most are, it makes less on the way. */
  #describe(payload: GeodePayload): JsonObject {
    if (payload.kind !== 'clear' || payload.object.type !== 'opaque') return describePayload(payload);
    const { ordinal, object } = payload;
    const sender = this.#sender(payload);
    return { class: object.class, length: object.bytes.length, ordinal, encrypted: false, sender };
  }

  #sender(payload: ClearPayload): Json {
    const { sender } = payload;
    const known = this.#senders.get(sender.uuid);
    if (known !== undefined && isSame(known[0], sender)) return known[1];
    const described = describePayload(payload)['sender'] as Json;
    if (this.#senders.size >= MAX_REMEMBERED) this.#senders.clear();
    this.#senders.set(sender.uuid, [sender, described]);
    return described;
  }
}

/**
 * Whether bytes may be a payload by the first of them, a version ordinal and a boolean (GEODE-WIRE section 3.4). The
 * decoder would find out too, but an exception for each message of another application takes time.
 */
export function startsAsPayload(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return true; // maybe `ping` or `pong`
  const first = bytes[0];
  if (first === undefined || first === 0) return false;
  const encrypted = first === 0xff ? bytes[3] : first < 0x80 ? bytes[1] : undefined;
  return encrypted === 0 || encrypted === 1;
}

/** Other applications' bytes can happen to decode. */
function isPlausible(payload: GeodePayload): boolean {
  if (payload.kind !== 'clear') return true;
  const { version, flags, membershipPort } = payload.sender;
  const isSender = version > 0 && flags >= 0 && flags <= MAX_SENDER_FLAGS && membershipPort <= 0xffff;
  return isSender && payload.ordinal > 0;
}

function isSame(a: EssentialId, b: EssentialId): boolean {
  return (
    a.version === b.version &&
    a.flags === b.flags &&
    a.host === b.host &&
    a.membershipPort === b.membershipPort &&
    a.vmViewId === b.vmViewId &&
    a.vmKind === b.vmKind
  );
}
