import type { Frag2Header } from '../../../codecs/jgroups/headers.ts';
import type { Message } from '../../../codecs/jgroups/message.ts';
import { headerOf } from '../../jgroups/protocol.ts';

/** Unfinished messages that are remembered of one sender, and bytes of them; older ones make room. */
const MAX_PARTIALS = 10_000;

export interface WholeMessage {
  readonly payload: Uint8Array;
  readonly flags: number;
}

/**
 * Joins fragments, independently of the stack's FRAG2, against which it is held. Null: not whole yet. Copies of a
 * fragment must have been sorted out before.
 */
export class Fragments {
  readonly #partials = new Map<number, { left: number; readonly pieces: Uint8Array[] }>();

  add(message: Message): WholeMessage | null {
    const header: Frag2Header | undefined = headerOf(message, 'FRAG2');
    const payload = message.payload ?? EMPTY;
    if (header === undefined) return { payload, flags: message.flags };
    const { id, fragNo, numFrags } = header;
    let partial = this.#partials.get(id);
    if (partial === undefined) {
      partial = { left: numFrags, pieces: [] };
      if (this.#partials.size >= MAX_PARTIALS) this.#forgetOldest();
      this.#partials.set(id, partial);
    }
    if (partial.pieces[fragNo] !== undefined) return null; // an unreliable one that came twice
    partial.pieces[fragNo] = payload;
    if (--partial.left > 0) return null;
    this.#partials.delete(id);
    return { payload: Buffer.concat(partial.pieces), flags: message.flags };
  }

  #forgetOldest(): void {
    for (const id of this.#partials.keys()) {
      this.#partials.delete(id);
      return;
    }
  }
}

const EMPTY = new Uint8Array(0);
