/**
 * Whether a recipient gets on: it stalls when something waits for it and nothing is acknowledged for a member timeout,
 * however many connections are tried meanwhile, or when an idle connection falls silent. Told once a stall. By UDP it
 * may be credits that do not come.
 */
export class PeerHealth {
  readonly #stallTimeoutMs: number;
  /** Since when something waits without an acknowledgement; Infinity: nothing waits. */
  #sinceMs = Infinity;
  #isStalled = false;
  /** Why the last connection was lost. */
  #cause = '';

  constructor(stallTimeoutMs: number) {
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  get isWaiting(): boolean {
    return this.#sinceMs !== Infinity;
  }

  /** Something waits from now on. */
  handleWait(nowMs: number): void {
    if (!this.isWaiting) this.#sinceMs = nowMs;
  }

  /** Something more was acknowledged. Returns true if that ends a stall. */
  handleProgress(nowMs: number, stillWaits: boolean): boolean {
    this.#sinceMs = stillWaits ? nowMs : Infinity;
    this.#cause = '';
    return this.#end();
  }

  /** We were not there ourselves: that nothing came meanwhile says nothing of the peer. */
  handleAbsence(nowMs: number): void {
    if (this.isWaiting) this.#sinceMs = nowMs;
  }

  /** The peer said something. Returns true if that ends a stall: it does if nothing waits. */
  handleHeard(): boolean {
    return !this.isWaiting && this.#end();
  }

  /** A connection was lost, or not to be had. */
  handleLoss(cause: string): void {
    this.#cause = cause;
  }

  /** An idle connection fell silent. Returns true if that begins a stall. */
  handleSilence(): boolean {
    const begins = !this.#isStalled;
    this.#isStalled = true;
    return begins;
  }

  /** Null unless a stall begins: then how many milliseconds nothing came. */
  check(nowMs: number): number | null {
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#isStalled || !(waitedMs >= this.#stallTimeoutMs)) return null;
    this.#isStalled = true;
    return Math.floor(waitedMs);
  }

  /** Why the last connection was lost; empty if none was since something was acknowledged. */
  get cause(): string {
    return this.#cause;
  }

  #end(): boolean {
    const ends = this.#isStalled;
    this.#isStalled = false;
    return ends;
  }
}
