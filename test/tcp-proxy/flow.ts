import type { Socket } from 'node:net';

/** One direction: bytes from one socket to the other, counted, up to a limit. */
export class Flow {
  readonly from: Socket;
  readonly to: Socket;
  #mode: 'forward' | 'hold' | 'swallow' = 'forward';
  #passed = 0;
  #limit = Infinity;
  /** So many bytes before the limit go one by one. */
  #dripBytes = 0;
  #onLimit: () => void = () => undefined;
  /** Read and not yet forwarded. */
  #rest: Buffer[] = [];
  #isBusy = false;
  #isEnded = false;

  constructor(from: Socket, to: Socket) {
    this.from = from;
    this.to = to;
  }

  /** @param onLimit called once `limit` bytes have been written to the other socket's kernel */
  start(limit: number, dripBytes: number, onLimit: () => void): void {
    this.#limit = limit;
    this.#dripBytes = dripBytes;
    this.#onLimit = onLimit;
    this.from.on('data', (bytes: Buffer) => this.#take(bytes));
    this.from.on('end', () => {
      this.#isEnded = true;
      this.#forward();
    });
    if (limit === 0) setImmediate(() => this.#reachLimit());
  }

  /** Nothing is read or forwarded. */
  hold(): void {
    this.#mode = 'hold';
    this.from.pause();
  }

  /** What comes is read and lost. */
  swallow(): void {
    this.#mode = 'swallow';
    this.#rest = [];
    this.from.resume();
  }

  /** After a hold, for so many bytes more. */
  goOn(bytes: number, onLimit: () => void): void {
    this.#mode = 'forward';
    this.#limit = this.#passed + bytes;
    this.#onLimit = onLimit;
    this.from.resume();
    if (bytes === 0) this.#reachLimit();
    else this.#forward();
  }

  #take(bytes: Buffer): void {
    if (this.#mode === 'swallow') return;
    this.#rest.push(bytes);
    this.#forward();
  }

  #forward(): void {
    if (this.#isBusy || this.#mode !== 'forward') return;
    const bytes = this.#nextPiece();
    if (bytes === null) {
      if (this.#isEnded) this.to.end();
      return;
    }
    this.#passed += bytes.length;
    this.#isBusy = true;
    this.from.pause();
    this.to.write(bytes, (error) => {
      this.#isBusy = false;
      if (error) return; // the socket closes
      if (this.#passed >= this.#limit) this.#reachLimit();
      else this.#continue();
    });
  }

  #continue(): void {
    if (this.#mode !== 'forward') return;
    this.from.resume();
    if (this.#passed >= this.#limit - this.#dripBytes) setImmediate(() => this.#forward());
    else this.#forward();
  }

  #nextPiece(): Buffer | null {
    const [first] = this.#rest;
    const left = this.#limit - this.#passed;
    if (first === undefined || left <= 0) return null;
    const piece = left <= this.#dripBytes ? 1 : Math.min(first.length, left - this.#dripBytes);
    if (piece >= first.length) this.#rest.shift();
    else this.#rest[0] = first.subarray(piece);
    return first.subarray(0, Math.min(piece, first.length));
  }

  #reachLimit(): void {
    const onLimit = this.#onLimit;
    this.#onLimit = () => undefined;
    onLimit();
  }
}
