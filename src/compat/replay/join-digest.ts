import { CodecError } from '../../../codecs/bytes/errors.ts';
import { ByteReader } from '../../../codecs/bytes/reader.ts';
import { decodePayload } from '../../../codecs/geode/index.ts';
import { readDigest } from '../../../codecs/jgroups/v3_6/digest.ts';
import { startsAsPayload } from '../geode-payloads.ts';
import { type DigestEntry, digestEntries } from '../../jgroups/digest.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';

/** Geode's coordinator tells a joiner how far group messages have got (WIRE-3.6 section 13), before its first view. */
export class JoinDigest {
  #entries: DigestEntry[] | null = null;

  /** Of the last response to a request to join; null: there was none, or no multicast. */
  get entries(): readonly DigestEntry[] | null {
    return this.#entries;
  }

  /** @param payload of any message */
  take(payload: Uint8Array): void {
    if (!startsAsPayload(payload)) return;
    try {
      const content = decodePayload(payload);
      if (content.kind !== 'clear' || content.object.type !== 'JoinResponse') return;
      const { messengerData } = content.object;
      if (messengerData === null || messengerData.length === 0) return;
      this.#entries = digestEntries(readDigest(new ByteReader(messengerData)));
    } catch (error) {
      if (!(error instanceof CodecError || error instanceof LocalProtocolError)) throw error;
    }
  }
}
