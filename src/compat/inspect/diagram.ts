/**
 * The sequence diagrams, one for each two members: the beginning of their conversation, and all of note after that
 * with what came just before it. Bounded, with a note of what was left out.
 */
import { since } from './anomalies.ts';
import { ARROWS_BEFORE, FIRST_ARROWS, MAX_ARROWS, MAX_CONVERSATIONS } from './limits.ts';
import type { Member } from './members.ts';
import type { Arrow, ArrowTone, Diagram, Omission } from './report.ts';

interface Drawn extends Omit<Arrow, 'at' | 'lost'> {
  readonly ts: number;
  readonly seqno: number | null;
  lost: boolean;
}

/** A member, or where multicasts go. */
type Party = Member | string;

type Step = Drawn | Omission;

/** One message to draw; `seqno` where it is a first copy or a repeat, so that it can be marked as lost. */
export interface Sketch {
  readonly ts: number;
  readonly n: number;
  readonly tone: ArrowTone;
  readonly label: string;
  readonly seqno: number | null;
  /** Worth an arrow even when there are many. */
  readonly notable: boolean;
}

export class Conversation {
  readonly parties: readonly [Party, Party];
  readonly pairs = new Set<string>();
  readonly #steps: Step[] = [];
  readonly #recent: Drawn[] = [];
  #arrows = 0;
  #omitted = 0;
  #beyond = 0;

  constructor(parties: readonly [Party, Party]) {
    this.parties = parties;
  }

  /** No further arrow fits: it is enough to count. */
  get isFull(): boolean {
    return this.#arrows >= MAX_ARROWS;
  }

  omit(): void {
    this.#beyond++;
  }

  draw(sketch: Sketch, forward: boolean): void {
    const { ts, n, tone, label, seqno, notable } = sketch;
    const arrow: Drawn = { ts, n, forward, tone, label, lost: false, seqno };
    if (!notable && this.#arrows >= FIRST_ARROWS) {
      this.#recent.push(arrow);
      if (this.#recent.length > ARROWS_BEFORE) {
        this.#recent.shift();
        this.#omitted++;
      }
      return;
    }
    this.#flush();
    this.#push(arrow);
  }

  /** The last drawn copy of that message turned out not to have arrived. */
  markLost(seqno: number, forward: boolean): void {
    for (const steps of [this.#recent, this.#steps]) {
      for (let i = steps.length - 1; i >= 0; i--) {
        const step = steps[i] as Step;
        if ('omitted' in step || step.seqno !== seqno || step.forward !== forward) continue;
        step.lost = true;
        return;
      }
    }
  }

  report(start: number): Diagram {
    this.#flush();
    const omitted = this.#omitted + this.#beyond;
    const steps = this.#steps.map((step) => {
      if ('omitted' in step) return step;
      const { ts, n, forward, tone, label: text, lost } = step;
      return { at: since(ts, start), n, forward, tone, label: text, lost };
    });
    return {
      pairs: [...this.pairs],
      parties: [labelOf(this.parties[0]), labelOf(this.parties[1])],
      steps: omitted > 0 ? [...steps, { omitted }] : steps,
    };
  }

  #flush(): void {
    if (this.#omitted > 0) this.#steps.push({ omitted: this.#omitted });
    this.#omitted = 0;
    for (const arrow of this.#recent) this.#push(arrow);
    this.#recent.length = 0;
  }

  #push(arrow: Drawn): void {
    this.#arrows++;
    this.#steps.push(arrow);
  }
}

export class Conversations {
  readonly #byParties = new Map<string, Conversation>();
  leftOut = 0;

  /** Of two parties, whichever comes first; null when there are too many. */
  of(from: Party, to: Party): { readonly conversation: Conversation; readonly forward: boolean } | null {
    const [a, b] = [keyOf(from), keyOf(to)];
    const there = this.#byParties.get(`${a} ${b}`);
    if (there !== undefined) return { conversation: there, forward: true };
    const back = this.#byParties.get(`${b} ${a}`);
    if (back !== undefined) return { conversation: back, forward: false };
    if (this.#byParties.size >= MAX_CONVERSATIONS) return null;
    const conversation = new Conversation([from, to]);
    this.#byParties.set(`${a} ${b}`, conversation);
    return { conversation, forward: true };
  }

  report(start: number): Diagram[] {
    return [...this.#byParties.values()].map((conversation) => conversation.report(start));
  }
}

function keyOf(party: Party): string | number {
  return typeof party === 'string' ? party : party.key;
}

function labelOf(party: Party): string {
  return typeof party === 'string' ? party : party.label;
}
