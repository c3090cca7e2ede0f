/** A property of the contract (DESIGN.md section 2) that did not hold. */
export class Violation extends Error {
  readonly property: string;
  constructor(property: string, message: string) {
    super(`${property}: ${message}`);
    this.name = 'Violation';
    this.property = property;
  }
}

/** What order there is: among a pair's messages, or apart from those among the sender's group messages. */
export type LaneName = 'single' | 'group';

export interface SentMessage {
  readonly number: number;
  readonly ordered: boolean;
  readonly crc: number;
  readonly atMs: number;
  readonly lane: LaneName;
  /** Place among the ordered ones of the lane: of the pair, or for group messages of the sender; -1 without order. */
  readonly position: number;
}

/**
 * A sender's group messages. They are one sequence for all members: who joins may also get some that were sent to
 * the view before, so a pair looks up here what it was not owed.
 */
export class GroupLog {
  readonly messages = new Map<number, SentMessage>();
  /** By position. */
  readonly ordered: SentMessage[] = [];

  add(number: number, ordered: boolean, crc: number, atMs: number): SentMessage {
    const position = ordered ? this.ordered.length : -1;
    const message: SentMessage = { number, ordered, crc, atMs, lane: 'group', position };
    if (ordered) this.ordered.push(message);
    this.messages.set(number, message);
    return message;
  }
}

/** One sender and one recipient, from what the application at either end sees. */
export class Pair {
  readonly name: string;
  /** True until either of them leaves: then messages may be missing, never repeated or out of order. */
  obliged = true;
  /** Owed messages that came. */
  delivered = 0;
  /**
   * Place of the next ordered group message. Null until the first came: where a joiner starts is its digest's affair,
   * or without one that of what its senders still have (src/jgroups/nakack2-member.ts), but from there on none is
   * missing, whether it was owed or not, and of those that were owed none is missing at all.
   */
  nextInGroup: number | null = null;
  readonly #groupLog: GroupLog;
  readonly #changesStacks: boolean;
  /** By number: accepted for this recipient. */
  readonly #owed = new Map<number, SentMessage>();
  readonly #came = new Set<number>();
  #ordered = 0;
  #nextSingle = 0;
  #firstOwedInGroup: number | null = null;
  /** Places of group messages that were refused for this recipient, and accepted for another. */
  readonly #refusedInGroup = new Set<number>();
  /** Ordered group messages before this one are in the digest with which the recipient joined. */
  #groupFloor = 0;

  /** @param changesStacks group messages go by TCP for a while: then a joiner gets none but its own of those */
  constructor(name: string, groupLog: GroupLog, changesStacks = false) {
    this.name = name;
    this.#groupLog = groupLog;
    this.#changesStacks = changesStacks;
  }

  /** Messages accepted for the recipient. */
  get accepted(): number {
    return this.#owed.size;
  }

  get outstanding(): number {
    return this.obliged ? this.#owed.size - this.delivered : 0;
  }

  accept(number: number, ordered: boolean, crc: number, atMs: number): void {
    const position = ordered ? this.#ordered++ : -1;
    this.#owed.set(number, { number, ordered, crc, atMs, lane: 'single', position });
  }

  /** @param message of the sender's log */
  acceptGroup(message: SentMessage): void {
    this.#owed.set(message.number, message);
    if (message.ordered) this.#firstOwedInGroup ??= message.position;
  }

  refuseGroup({ position }: SentMessage): void {
    if (position >= 0) this.#refusedInGroup.add(position);
  }

  startAt(position: number): void {
    this.#groupFloor = position;
  }

  deliver(number: number, crc: number): void {
    const owed = this.#owed.get(number);
    const message = owed ?? this.#groupLog.messages.get(number);
    if (message === undefined) {
      throw new Violation('phantom', `${this.name}: message ${number} was never accepted for this recipient`);
    }
    if (message.crc !== crc) throw new Violation('corruption', `${this.name}: message ${number} has changed`);
    if (this.#came.has(number))
      throw new Violation('duplicate', `${this.name}: message ${number} came twice`);
    this.#came.add(number);
    if (owed !== undefined) this.delivered++;
    if (!message.ordered) return;
    if (message.lane === 'group') this.#deliverInGroup(message);
    else this.#nextSingle = this.#follow(message, this.#nextSingle);
  }

  #deliverInGroup(message: SentMessage): void {
    const { number, position } = message;
    if (position < this.#groupFloor) {
      const text = `group message ${number} is older than the digest with which the recipient joined`;
      throw new Violation('digest', `${this.name}: ${text}`);
    }
    const latest = this.#firstOwedInGroup ?? position;
    let expected = this.nextInGroup ?? Math.min(position, latest);
    const isSkipped = (at: number): boolean =>
      this.#refusedInGroup.has(at) || (this.#changesStacks && !this.#isOwed(at));
    while (expected < position && isSkipped(expected)) expected++;
    this.nextInGroup = this.#follow(message, expected);
  }

  #isOwed(position: number): boolean {
    return this.#owed.has(this.#groupLog.ordered[position]?.number ?? -1);
  }

  #follow({ number, position, lane }: SentMessage, expected: number): number {
    if (position < expected || (position > expected && this.obliged)) {
      const text = `${lane} message ${number}, ordered number ${position}, came in place of ${expected}`;
      throw new Violation('order', `${this.name}: ${text}`);
    }
    return position + 1;
  }

  firstMissing(): SentMessage | undefined {
    for (const message of this.#owed.values()) if (!this.#came.has(message.number)) return message;
    return undefined;
  }
}
