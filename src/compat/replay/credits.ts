import { CodecError } from '../../../codecs/bytes/errors.ts';
import { ByteReader } from '../../../codecs/bytes/reader.ts';
import type { Message } from '../../../codecs/jgroups/message.ts';

/** Bytes that a message of flow control gives or asks for; 0 if it does not say. */
export function creditsOf({ payload }: Message): number {
  if (payload === null) return 0;
  try {
    return new ByteReader(payload).safeU64('credits');
  } catch (error) {
    if (error instanceof CodecError) return 0;
    throw error;
  }
}
