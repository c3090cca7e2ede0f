import { Fifo } from '../protocol/fifo.ts';
import type { Condition } from './sent-counts.ts';

/** Messages that wait, in their order, until others before them have arrived by another way. */
export class HoldQueue<T> {
  readonly #items = new Fifo<{ readonly item: T; readonly mayGo: Condition }>();
  /** Of what is pushed next. */
  #mayGo: Condition = () => true;

  /** What is pushed from now on goes when `mayGo` holds, and what waits already has gone. */
  holdUntil(mayGo: Condition): void {
    this.#mayGo = mayGo;
  }

  /** False: nothing is before it, send it now. */
  push(item: T): boolean {
    if (this.isDone) return false;
    this.#items.push({ item, mayGo: this.#mayGo });
    return true;
  }

  /** Nothing waits, nor has what comes next to. */
  get isDone(): boolean {
    return this.#items.length === 0 && this.#mayGo();
  }

  /** Hands out what may go. What `send` brings about may push more. */
  release(send: (item: T) => void): void {
    for (let head = this.#items.at(0); head?.mayGo() === true; head = this.#items.at(0)) {
      this.#items.shift();
      send(head.item);
    }
  }
}
