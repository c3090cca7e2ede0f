import type { MemberId } from '../../src/protocol/member-id.ts';
import type { MessengerStats } from '../../src/protocol/messenger.ts';
import { below, type Rng } from '../../src/protocol/rng.ts';
import { createView } from '../../src/protocol/view.ts';
import {
  decodeNumberedPayload,
  encodeNumberedPayload,
  inStream,
  streamOf,
} from '../../src/rehearsal/numbered-payload.ts';
import type { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';
import { Ledger } from './ledger.ts';
import { Link, type PlanSource } from './link.ts';
import { createProxiedMember, type WireOptions } from './members.ts';

/** Messages of a direction that are under way: the load never ends, and a cut always has something to lose. */
const UNDER_WAY = 8;

/** The same where acknowledgements are to be cut: what takes time is to get some hundreds of them through. */
const UNDER_WAY_FOR_ACKS = 2;

/** How often a direction is looked after that nothing else wakes: refused messages, connections without a plan. */
const TICK_MS = 20;

const UNORDERED_SHARE = 0.1;
const URGENT_SHARE = 0.05;

/** Streams of numbers of a direction: each class is counted by itself. */
const CLASSES = ['ordered', 'unordered', 'urgent'] as const;

/** One member's messages to the other, and what became of them. */
class Direction {
  readonly link: Link;
  readonly #from: TcpMessenger;
  readonly #rng: Rng;
  readonly ledgers: readonly Ledger[];
  #recipient: MemberId | null = null;

  constructor(name: string, from: TcpMessenger, link: Link, rng: Rng) {
    this.#from = from;
    this.link = link;
    this.#rng = rng;
    this.ledgers = CLASSES.map((kind) => new Ledger(`${name}, ${kind}`, kind === 'ordered'));
  }

  get outstanding(): number {
    return this.ledgers.reduce((sum, ledger) => sum + ledger.outstanding, 0);
  }

  aim(recipient: MemberId): void {
    this.#recipient = recipient;
  }

  /**
   * Keeps the direction under load, while there is something to be cut in it; else one message a tick shows whether
   * the connection still stands.
   */
  send(isTick: boolean): void {
    const { plan } = this.link;
    if (plan === null && !isTick) return;
    const limit = plan === null ? 1 : plan.direction === 'backward' ? UNDER_WAY_FOR_ACKS : UNDER_WAY;
    while (this.outstanding < limit && this.#recipient !== null) this.#sendOne(this.#recipient);
  }

  deliver(payload: Uint8Array, sender: MemberId): void {
    const decoded = decodeNumberedPayload(payload);
    if (typeof decoded === 'string' || decoded.sender !== sender.uuid) {
      this.ledgers[0]?.breach('damaged', 0);
      return;
    }
    const { stream, number } = streamOf(decoded.number);
    this.ledgers[stream]?.deliver(number);
    this.link.handleDelivery();
  }

  #sendOne(recipient: MemberId): void {
    const draw = this.#rng.next();
    const kind = draw < UNORDERED_SHARE ? 1 : draw < UNORDERED_SHARE + URGENT_SHARE ? 2 : 0;
    const ledger = this.ledgers[kind] as Ledger;
    const number = inStream(kind, ledger.accept());
    const payload = encodeNumberedPayload(this.#from.memberId.uuid, number, this.#size());
    const { refused } = this.#from.send({
      recipients: [recipient],
      payload,
      ...(kind === 1 ? { ordered: false } : {}),
      ...(kind === 2 ? { highPriority: true } : {}),
    });
    if (refused.length > 0) ledger.refuse();
  }

  /** Mostly small; now and then one of several frames. */
  #size(): number {
    const draw = this.#rng.next();
    if (draw < 0.7) return 36 + below(this.#rng, 200);
    if (draw < 0.97 && this.link.plan?.direction === 'backward') return 36;
    if (draw < 0.95) return 200 + below(this.#rng, 1_800);
    if (draw < 0.995) return 2_000 + below(this.#rng, 20_000);
    return 65_536 + below(this.#rng, 200_000);
  }
}

/** Two members that send to each other without end, through a cutting proxy each way. */
export class Pair {
  readonly #members: readonly [TcpMessenger, TcpMessenger];
  readonly directions: readonly [Direction, Direction];
  /** Null: no load. */
  #ticks: NodeJS.Timeout | null = null;
  #isWoken = false;

  private constructor(
    members: readonly [TcpMessenger, TcpMessenger],
    directions: readonly [Direction, Direction],
  ) {
    this.#members = members;
    this.directions = directions;
  }

  static async start(
    name: string,
    plans: PlanSource,
    rng: Rng,
    options: Omit<WireOptions, 'redirect' | 'seed'>,
  ): Promise<Pair> {
    const redirect = new Map<number, number>();
    const [toB, toA] = [await Link.open(plans), await Link.open(plans)];
    const member = (end: string): TcpMessenger =>
      createProxiedMember(`${name}${end}`, { ...options, seed: below(rng, 0x1_0000_0000), redirect });
    const members = [member('a'), member('b')] as const;
    const [a, b] = members;
    const directions = [
      new Direction(`${name}a>${name}b`, a, toB, rng),
      new Direction(`${name}b>${name}a`, b, toA, rng),
    ] as const;
    const pair = new Pair(members, directions);
    for (const [messenger, direction] of [
      [b, directions[0]],
      [a, directions[1]],
    ] as const) {
      messenger.setDefaultHandler(({ payload, sender }) => {
        direction.deliver(payload, sender);
        pair.#wake();
      });
    }
    const ids = [await a.start(), await b.start()] as const;
    for (const [id, link] of [
      [ids[1], toB],
      [ids[0], toA],
    ] as const) {
      link.proxy.targetPort = id.port;
      redirect.set(id.port, link.proxy.port);
    }
    for (const messenger of members) messenger.installView(createView(1, ids));
    directions[0].aim(ids[1]);
    directions[1].aim(ids[0]);
    return pair;
  }

  /** Keeps both directions under load until `finish`. */
  run(): void {
    this.#ticks = setInterval(() => this.#send(true), TICK_MS);
    this.#send(true);
  }

  /** What was delivered makes room. Not at once: messages go out in the turn after, several together. */
  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#send(false);
    });
  }

  #send(isTick: boolean): void {
    if (this.#ticks === null) return;
    for (const direction of this.directions) direction.send(isTick);
  }

  /** Ends the load, waits for what is under way, and says what did not hold. */
  async finish(timeoutMs: number): Promise<readonly string[]> {
    if (this.#ticks !== null) clearInterval(this.#ticks);
    this.#ticks = null;
    const flushed = await Promise.all(this.#members.map((messenger) => messenger.flush(timeoutMs)));
    const wrong = flushed.every(Boolean) ? [] : [`not all was acknowledged within ${timeoutMs} ms`];
    for (const [at, { ledgers }] of this.directions.entries()) {
      for (const ledger of ledgers) {
        ledger.close();
        wrong.push(...ledger.breaches);
      }
      wrong.push(...this.#checkCounts(at));
    }
    await Promise.all(this.#members.map((messenger) => messenger.stop()));
    await Promise.all(this.directions.map(({ link }) => link.proxy.close()));
    return wrong;
  }

  /** Counters of both members' TCP stacks, added up. */
  counter(name: string): number {
    return this.#stats().reduce((sum, { stacks }) => sum + (stacks.tcp?.counters[name] ?? 0), 0);
  }

  get tlsHandshakes(): number {
    return this.#stats().reduce((sum, { tls }) => sum + (tls?.handshakes ?? 0), 0);
  }

  #checkCounts(at: number): readonly string[] {
    const sent = this.directions[at]?.ledgers.reduce((sum, ledger) => sum + ledger.sent, 0) ?? 0;
    const totals = this.#stats()[at]?.totals;
    if (totals?.accepted === sent && totals.delivered === sent) return [];
    return [`${sent} messages were accepted, the messenger counts ${JSON.stringify(totals)}`];
  }

  #stats(): MessengerStats[] {
    return this.#members.map((messenger) => messenger.stats());
  }
}
