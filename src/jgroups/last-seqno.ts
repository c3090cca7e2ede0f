/**
 * When an idle sender tells its last seqno (JGroups' LastSeqnoResender): so that who lost the last messages notices.
 * JGroups does so `resend_last_seqno_max_times` for each seqno. Past that we still do now and then while messages are
 * not stable: a member that slept through it, or lost it, would not tell that it has them.
 */
export class LastSeqno {
  readonly #maxTimes: number;
  readonly #againMs: number;
  #sentSinceTick = false;
  #lastTold = 0;
  #times = 0;
  #toldAtMs = 0;

  constructor(maxTimes: number, againMs: number) {
    this.#maxTimes = maxTimes;
    this.#againMs = againMs;
  }

  /** A message went out: whoever gets it needs not be told. */
  handleSend(): void {
    this.#sentSinceTick = true;
  }

  /** Once a tick: whether to tell `seqno`, the last that was sent. */
  isDue(seqno: number, isStable: boolean, nowMs: number): boolean {
    if (seqno === 0) return false;
    if (this.#sentSinceTick) {
      this.#sentSinceTick = false;
      return false;
    }
    if (seqno > this.#lastTold) this.#times = 0;
    const isDone = seqno === this.#lastTold && this.#times >= this.#maxTimes;
    if (isDone && (isStable || nowMs - this.#toldAtMs < this.#againMs)) return false;
    this.#lastTold = seqno;
    this.#times++;
    this.#toldAtMs = nowMs;
    return true;
  }
}
