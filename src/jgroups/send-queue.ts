import { Fifo } from '../protocol/fifo.ts';
import { bundledBytes, type OutMessage } from './protocol.ts';

/** Messages that wait for room, in order. */
export class SendQueue {
  readonly #messages = new Fifo<OutMessage>();
  #bytes = 0;

  get length(): number {
    return this.#messages.length;
  }

  /** `bundledBytes` of all. */
  get bytes(): number {
    return this.#bytes;
  }

  push(message: OutMessage): void {
    this.#messages.push(message);
    this.#bytes += bundledBytes(message);
  }

  /** The first ones, as many as fit, one at least. */
  take(mostBytes: number): OutMessage[] {
    const taken: OutMessage[] = [];
    let total = 0;
    for (let next = this.#messages.at(0); next !== undefined; next = this.#messages.at(0)) {
      const bytes = bundledBytes(next);
      if (taken.length > 0 && total + bytes > mostBytes) break;
      total += bytes;
      taken.push(next);
      this.#messages.shift();
    }
    this.#bytes -= total;
    return taken;
  }
}
