/** The one payload that 2.12's own protocols write: credits, tagged as a Java long (WIRE-3.6 section 15). */

import { CodecError } from '../../bytes/errors.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { ByteWriter } from '../../bytes/writer.ts';
import type { ProtocolPayload } from '../payload.ts';
import type { Message212 } from './headers.ts';

type Credits = Extract<ProtocolPayload, { readonly kind: 'credits' }>;

const TYPE_LONG = 0x10;

/**
 * The credits of a flow control message; null for any other payload, and for none.
 * @throws {CodecError} for a payload that is no long
 */
export function decodePayload(message: Message212): Credits | null {
  const { headers, payload } = message;
  if (payload === null) return null;
  const credit = headers.some(
    ({ protocol }) => protocol === 'UFC' || protocol === 'MFC' || protocol === 'FC',
  );
  if (!credit || headers.some(({ protocol }) => protocol === 'FRAG2' || protocol === 'UNKNOWN')) return null;
  const reader = new ByteReader(payload);
  const tag = reader.u8('credits.tag');
  if (tag !== TYPE_LONG) throw new CodecError('ERR_VALUE', 0, 'credits.tag', `type ${tag} is no long`);
  const credits = reader.safeU64('credits');
  reader.finish('payload');
  return { kind: 'credits', credits };
}

export function encodePayload(payload: Credits): Buffer {
  const writer = new ByteWriter(9);
  writer.u8(TYPE_LONG);
  writer.safeU64(payload.credits, 'credits');
  return writer.finish();
}
