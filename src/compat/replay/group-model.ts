import { Flag, type Message, type Nakack2Header } from '../../../codecs/jgroups/message.ts';
import { headerOf } from '../../jgroups/protocol.ts';

export interface GroupModelEvents {
  /** It is next in its sender's order, or has none. */
  deliver(src: string, message: Message): void;
  /** A message was missing from `sinceMs`, when that could be seen, to `timeMs`. */
  filled(src: string, seqno: number, sinceMs: number, timeMs: number): void;
}

/** How far one sender's group messages have got. */
export interface GroupStart {
  readonly sender: string;
  readonly delivered: number;
}

interface Window {
  /** It is known that nothing before it is to come: by a digest, or by what was delivered. */
  isStartKnown: boolean;
  /** Something was delivered in order: from here on every message comes. */
  isCertain: boolean;
  /** All up to here came. */
  contiguous: number;
  highest: number;
  /** Beyond `contiguous`; null: delivered already, for it has no order. */
  readonly waiting: Map<number, Message | null>;
  /** Missing seqnos, and when that could be seen. */
  readonly gaps: Map<number, number>;
}

/** Messages that a member keeps before its first view (JGroups' become_server_queue). */
const MAX_EARLY = 50;

/** A forged seqno must not cost memory. */
const MAX_GAP = 100_000;

/**
 * What one member could have made of the group messages that reached it, by the rules of the wire alone (WIRE-3.6
 * section 6): written apart from the stack, to be held against it.
 */
export class GroupModel {
  readonly #selfKey: string;
  readonly #events: GroupModelEvents;
  readonly #windows = new Map<string, Window>();
  /** How far those had got who left: should they come back, that is not delivered again. */
  readonly #departed = new Map<string, number>();
  #hasView = false;
  #early: { readonly src: string; readonly message: Message }[] = [];

  constructor(selfKey: string, events: GroupModelEvents) {
    this.#selfKey = selfKey;
    this.#events = events;
  }

  receive(src: string, message: Message, header: Nakack2Header, timeMs: number): void {
    if (!this.#hasView) {
      this.#early.push({ src, message });
      if (this.#early.length > MAX_EARLY) this.#early.shift();
      return;
    }
    const window = this.#windows.get(src);
    if (window === undefined || header.type === 'XMIT_REQ') return;
    const { seqno } = header;
    if (header.type === 'HIGHEST_SEQNO') {
      hear(window, seqno, timeMs);
      return;
    }
    if (!store(window, seqno, message, timeMs)) return;
    const sinceMs = window.gaps.get(seqno);
    if (sinceMs !== undefined) {
      window.gaps.delete(seqno);
      this.#events.filled(src, seqno, sinceMs, timeMs);
    }
    if ((message.flags & Flag.OOB) !== 0) this.#events.deliver(src, message);
    this.#drain(src, window);
  }

  /** What is delivered may bring a view without its sender. */
  #drain(src: string, window: Window): void {
    for (;;) {
      if (this.#windows.get(src) !== window) return;
      const next = window.waiting.get(window.contiguous + 1);
      if (next === undefined) return;
      window.contiguous++;
      window.isStartKnown = window.isCertain = true;
      window.waiting.delete(window.contiguous);
      if (next !== null) this.#events.deliver(src, next);
    }
  }

  /** @param starts of a digest: of members that are new here; in a merge also where this member has less */
  installView(
    keys: ReadonlySet<string>,
    starts: readonly GroupStart[],
    isMerge: boolean,
    timeMs: number,
  ): void {
    for (const { sender, delivered } of starts) {
      const window = this.#windows.get(sender);
      const isNew = window?.isStartKnown !== true;
      if (isNew || (isMerge && window.contiguous < delivered)) this.start(sender, delivered);
    }
    for (const [key, { contiguous }] of this.#windows) {
      if (keys.has(key)) continue;
      this.#windows.delete(key);
      this.#departed.set(key, contiguous);
    }
    for (const key of keys) {
      if (key === this.#selfKey || this.#windows.has(key)) continue;
      this.#windows.set(key, newWindow(this.#departed.get(key) ?? 0, false));
    }
    this.#hasView = true;
    const early = this.#early;
    this.#early = [];
    for (const { src, message } of early) {
      const header = headerOf(message, 'NAKACK2');
      if (header !== undefined) this.receive(src, message, header, timeMs);
    }
  }

  /** The sender's messages begin behind `delivered` here. */
  start(sender: string, delivered: number): void {
    if (sender !== this.#selfKey) this.#windows.set(sender, newWindow(delivered, true));
  }

  get hasView(): boolean {
    return this.#hasView;
  }

  has(sender: string): boolean {
    return this.#windows.has(sender);
  }

  isStartKnown(sender: string): boolean {
    return this.#windows.get(sender)?.isStartKnown === true;
  }

  isCertain(sender: string): boolean {
    return this.#windows.get(sender)?.isCertain === true;
  }

  /** All up to here came; 0 for one that is not known. */
  contiguous(sender: string): number {
    return this.#windows.get(sender)?.contiguous ?? 0;
  }

  /** Of what came, or that its sender told of. */
  highest(sender: string): number {
    const window = this.#windows.get(sender);
    if (window === undefined) return 0;
    let highest = window.highest;
    for (const seqno of window.gaps.keys()) highest = Math.max(highest, seqno);
    return highest;
  }

  isMissing(sender: string, seqno: number): boolean {
    const window = this.#windows.get(sender);
    if (window === undefined || seqno <= window.contiguous || window.waiting.has(seqno)) return false;
    return seqno < window.highest || window.gaps.has(seqno);
  }

  /** What is missing still, and since when. */
  *open(): Generator<{ src: string; seqno: number; sinceMs: number }> {
    for (const [src, { gaps }] of this.#windows) {
      for (const [seqno, sinceMs] of gaps) yield { src, seqno, sinceMs };
    }
  }

  /** STABLE's coordinator told how far the sender had got: who has less asks for that one. */
  hear(sender: string, seqno: number, timeMs: number): void {
    const window = this.#windows.get(sender);
    if (window !== undefined) hear(window, seqno, timeMs);
  }
}

function newWindow(contiguous: number, isStartKnown: boolean): Window {
  return {
    isStartKnown,
    isCertain: false,
    contiguous,
    highest: contiguous,
    waiting: new Map(),
    gaps: new Map(),
  };
}

/** Only this one is known to be missing: those before it, if any, show when it comes. */
function hear(window: Window, seqno: number, timeMs: number): void {
  if (seqno <= window.highest || window.gaps.has(seqno) || seqno - window.contiguous > MAX_GAP) return;
  window.gaps.set(seqno, timeMs);
}

/** False for one that was there already. */
function store(window: Window, seqno: number, message: Message, timeMs: number): boolean {
  const { waiting, gaps } = window;
  if (seqno <= window.contiguous || waiting.has(seqno)) return false;
  if (seqno - window.contiguous > MAX_GAP) return false;
  waiting.set(seqno, (message.flags & Flag.OOB) !== 0 ? null : message);
  for (let missing = window.highest + 1; missing < seqno; missing++) {
    if (!gaps.has(missing)) gaps.set(missing, timeMs);
  }
  window.highest = Math.max(window.highest, seqno);
  return true;
}
