import type { DecodedPayload } from './numbered-payload.ts';

/**
 * Gaps remembered at once; past it the oldest is forgotten: its numbers stay counted as missing, and one that
 * comes all the same counts as duplicated. A transport that keeps its promise has no gap at all.
 */
const MAX_GAPS = 10_000;

export interface DeliveryCounts {
  /** Different messages that arrived. */
  delivered: number;
  /** The highest number among them; 0 before the first. */
  highest: number;
  /** Arrived once more. */
  duplicated: number;
  /** Among the delivered: those that came after a later one. */
  reordered: number;
  /** Numbers below the highest that have not arrived. */
  missing: number;
  /** Wrong checksum, length, number or sender. */
  corrupt: number;
  bytes: number;
}

/** What came of the numbered messages of one sender. The Java peers keep the same books (DeliveryRecord.java). */
export class DeliveryRecord {
  readonly #sender: string;
  /** Gap i is the numbers lows[i]..highs[i]; ascending, disjoint. */
  readonly #lows: number[] = [];
  readonly #highs: number[] = [];
  readonly #counts: DeliveryCounts = {
    delivered: 0,
    highest: 0,
    duplicated: 0,
    reordered: 0,
    missing: 0,
    corrupt: 0,
    bytes: 0,
  };

  /** @param sender uuid of whom the transport says that the messages are from */
  constructor(sender: string) {
    this.#sender = sender;
  }

  get counts(): Readonly<DeliveryCounts> {
    return this.#counts;
  }

  /** The missing numbers as inclusive ranges, lowest first, at most `limit` of them. */
  gaps(limit = 10): [number, number][] {
    return this.#lows.slice(0, limit).map((low, i) => [low, this.#highs[i] ?? low]);
  }

  /** @param length bytes of the payload */
  handle(decoded: Exclude<DecodedPayload, 'foreign'>, length: number): void {
    const counts = this.#counts;
    counts.bytes += length;
    if (decoded === 'corrupt' || decoded.sender !== this.#sender) {
      counts.corrupt++;
      return;
    }
    const { number } = decoded;
    if (number > counts.highest) {
      if (number > counts.highest + 1) this.#open(counts.highest + 1, number - 1);
      counts.highest = number;
      counts.delivered++;
    } else if (this.#fill(number)) {
      counts.missing--;
      counts.reordered++;
      counts.delivered++;
    } else {
      counts.duplicated++;
    }
  }

  #open(low: number, high: number): void {
    this.#lows.push(low);
    this.#highs.push(high);
    this.#counts.missing += high - low + 1;
    this.#bound();
  }

  /** False if the number is in no gap. */
  #fill(number: number): boolean {
    const at = this.#find(number);
    const low = this.#lows[at];
    const high = this.#highs[at];
    if (low === undefined || high === undefined || high < number) return false;
    if (low === high) {
      this.#lows.splice(at, 1);
      this.#highs.splice(at, 1);
    } else if (number === low) {
      this.#lows[at] = number + 1;
    } else if (number === high) {
      this.#highs[at] = number - 1;
    } else {
      this.#highs.splice(at, 0, number - 1);
      this.#lows.splice(at + 1, 0, number + 1);
      this.#bound();
    }
    return true;
  }

  /** Index of the last gap that begins at or below the number; -1 if none does. */
  #find(number: number): number {
    let from = 0;
    let to = this.#lows.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#lows[middle] ?? Infinity) <= number) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }

  #bound(): void {
    if (this.#lows.length <= MAX_GAPS) return;
    this.#lows.shift();
    this.#highs.shift();
  }
}
