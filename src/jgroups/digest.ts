import { type Address, addressKey, type Digest, type SeqnoPair } from '../../codecs/jgroups/message.ts';
import { LocalProtocolError } from '../protocol/errors.ts';

export interface DigestEntry {
  readonly member: Address;
  readonly key: string;
  readonly pair: SeqnoPair;
}

/**
 * The members of a digest with their seqnos.
 * @param members those of the view that it came with, for a digest without its own
 * @throws {LocalProtocolError} `ERR_DIGEST` if they do not fit together
 */
export function digestEntries(digest: Digest, members: readonly Address[] = []): DigestEntry[] {
  const addresses = digest.members ?? members;
  if (addresses.length !== digest.seqnos.length) {
    const text = `a digest of ${digest.seqnos.length} seqno pairs for ${addresses.length} members`;
    throw new LocalProtocolError('ERR_DIGEST', text);
  }
  return digest.seqnos.map((pair, i) => {
    const { highestDelivered, highestReceived } = pair;
    const member = addresses[i] as Address;
    const isPair = Number.isSafeInteger(highestReceived) && Number.isSafeInteger(highestDelivered);
    if (!isPair || highestDelivered < 0 || highestReceived < highestDelivered) {
      const text = `a digest with the seqnos ${highestDelivered} and ${highestReceived}`;
      throw new LocalProtocolError('ERR_DIGEST', text);
    }
    return { member, key: addressKey(member), pair };
  });
}
