import { CodecError } from '../../codecs/bytes/errors.ts';
import {
  type Address,
  addressKey,
  type Digest,
  Flag,
  type Header,
  type Nakack2Header,
} from '../../codecs/jgroups/message.ts';
import { decodeSeqnoList, encodeSeqnoList } from '../../codecs/jgroups/v3_6/seqno-list.ts';
import type { UdpGroupStats } from '../protocol/messenger.ts';
import { SendWindow } from '../protocol/seqno-window.ts';
import type { ProtocolContext } from './context.ts';
import { type DigestEntry, digestEntries } from './digest.ts';
import { Departures } from './departures.ts';
import { LastSeqno } from './last-seqno.ts';
import { MemberWindow } from './nakack2-member.ts';
import {
  type Audience,
  controlMessage,
  type GroupView,
  headerOf,
  type InMessage,
  type OutMessage,
  Protocol,
} from './protocol.ts';
import { ResendQueue } from './resend-queue.ts';

const CONTROL_FLAGS = Flag.OOB | Flag.INTERNAL;

/** As many gossip rounds as it takes until a message is stable if nothing is lost, twice. */
const UNSTABLE_GOSSIPS = 4;

type NumberedHeader = Extract<Nakack2Header, { seqno: number }>;

/** Group messages of the same audience that became stable together. */
interface Settled {
  readonly audience: Audience;
  messages: number;
  bytes: number;
}

/**
 * Reliable group messages in the order of each sender (WIRE-3.6 section 6, checked against JGroups' NAKACK2):
 * numbered by their sender, asked for by who misses them, kept until every member has them, which STABLE finds out.
 */
export class NAKACK2 extends Protocol {
  readonly #context: ProtocolContext;
  /** Own messages that are not stable. */
  readonly #sent = new SendWindow<OutMessage>();
  readonly #lastSeqno: LastSeqno;
  /** Of the other members. */
  readonly #windows = new Map<string, MemberWindow>();
  readonly #departures = new Departures();
  /** Epoch in which each member joined. */
  readonly #joined = new Map<string, number>();
  readonly #resends = new ResendQueue((message, nowMs) => {
    this.#context.counters.retransmitted++;
    this.below.down(message, nowMs);
  });
  #view: GroupView | null = null;
  /** JGroups' become-server queue: what came before the first view. */
  #early: InMessage[] = [];
  #nextTickMs: number;
  /** A member, or we, tell the last seqno because not everything is stable; only while this is set. */
  onUnstable: ((nowMs: number) => void) | null = null;

  constructor(context: ProtocolContext) {
    super();
    this.#context = context;
    const { mcastXmitIntervalMs, resendLastSeqnoMaxTimes, desiredAvgGossipMs } = context.config;
    this.#lastSeqno = new LastSeqno(resendLastSeqnoMaxTimes, UNSTABLE_GOSSIPS * desiredAvgGossipMs);
    this.#nextTickMs = context.startMs + mcastXmitIntervalMs;
  }

  // --- down: number it, keep it until it is stable ---------------------------------------------------------

  down(message: OutMessage, nowMs: number): void {
    if (message.dest === null && (message.flags & Flag.NO_RELIABILITY) === 0) {
      message.headers.push({ protocol: 'NAKACK2', type: 'MSG', seqno: this.#sent.next });
      this.#sent.push(message);
      this.#lastSeqno.handleSend();
    }
    this.below.down(message, nowMs);
  }

  // --- up --------------------------------------------------------------------------------------------------

  up(message: InMessage, nowMs: number): void {
    const header = headerOf(message, 'NAKACK2');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) this.above.up(message, nowMs);
    else this.#handle(message, header, nowMs);
  }

  override upBatch(messages: readonly InMessage[], nowMs: number): void {
    let rest: InMessage[] | null = null;
    for (const message of messages) {
      const header = headerOf(message, 'NAKACK2');
      if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) (rest ??= []).push(message);
      else this.#handle(message, header, nowMs);
    }
    if (rest !== null) this.above.upBatch(rest, nowMs);
  }

  #handle(message: InMessage, header: Nakack2Header, nowMs: number): void {
    if (this.#view === null) {
      this.#early.push(message);
      if (this.#early.length > this.#context.config.becomeServerQueueSize) this.#early.shift();
      return;
    }
    switch (header.type) {
      case 'MSG':
        this.#handleMessage(message, header, nowMs);
        return;
      case 'XMIT_RSP': // a group message, though this copy of it is for us alone
        this.#handleMessage({ ...message, toGroup: true }, header, nowMs);
        return;
      case 'XMIT_REQ':
        this.#handleRequest(message, header.sender, nowMs);
        return;
      case 'HIGHEST_SEQNO': {
        const window = this.#windows.get(message.from);
        if (window?.hear(header.seqno) === true) this.#request(window, [header.seqno], nowMs);
        if (window !== undefined) this.onUnstable?.(nowMs);
      }
    }
  }

  #handleMessage(message: InMessage, header: NumberedHeader, nowMs: number): void {
    const { counters, peers, config, selfKey, complain } = this.#context;
    const { from } = message;
    const { seqno } = header;
    if (from === selfKey) {
      this.above.up(message, nowMs); // looped back by the transport, in order and once
      return;
    }
    const window = this.#windows.get(from);
    if (window === undefined) {
      counters.fromStrangers++;
      complain(from, `its group message ${seqno} is dropped: it is no member of our view`);
      return;
    }
    if (seqno < 1) {
      counters.rejected++;
      peers.of(from).malformed++;
      complain(from, `its group message has seqno ${seqno}, the first is 1; dropped`);
      return;
    }
    const isOob = (message.flags & Flag.OOB) !== 0;
    const isAnswer = header.type === 'XMIT_RSP' || config.useMcastXmit;
    const outcome = window.add(seqno, message, isOob, isAnswer, nowMs);
    if (outcome === 'duplicate') {
      counters.duplicates++;
      peers.of(from).groupDuplicates++;
    } else if (outcome === 'beyond') counters.beyondWindow++;
    else {
      if (isOob) this.above.up(message, nowMs);
      this.#deliver(from, window, nowMs);
    }
  }

  /** A handler may install a view without the sender: then the rest is not wanted any more. */
  #deliver(from: string, window: MemberWindow, nowMs: number): void {
    for (;;) {
      if (this.#windows.get(from) !== window) return;
      const message = window.next();
      if (message === undefined) return;
      this.above.up(message, nowMs);
    }
  }

  // --- retransmission --------------------------------------------------------------------------------------

  /** Own messages, and those of others that we still have. Who is in no view of ours asks again once it is. */
  #handleRequest(request: InMessage, sender: Address, nowMs: number): void {
    const { counters, selfKey } = this.#context;
    counters.xmitRequestsReceived++;
    if (!this.#windows.has(request.from)) {
      counters.fromStrangers++;
      return;
    }
    let seqnos: number[];
    try {
      seqnos = decodeSeqnoList(request.payload ?? EMPTY);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#context.malformed(request.from, `its retransmission request is malformed: ${error.message}`);
      return;
    }
    const key = addressKey(sender);
    const find = (seqno: number): OutMessage | undefined => {
      if (!this.#windows.has(request.from)) return undefined; // it has left meanwhile
      const message = key === selfKey ? this.#sent.at(seqno) : forward(this.#windows.get(key)?.stored(seqno));
      if (message === undefined) return undefined;
      this.#context.peers.of(request.from).groupRetransmitted++;
      return this.#copyFor(request.src, message, seqno);
    };
    this.#resends.add(`${request.from} ${key}`, seqnos, find, nowMs);
  }

  #copyFor(requester: Address, message: OutMessage, seqno: number): OutMessage {
    const { useMcastXmit } = this.#context.config;
    const type = useMcastXmit ? 'MSG' : 'XMIT_RSP';
    const headers = message.headers.map((header): Header => {
      return header.protocol === 'NAKACK2' ? { protocol: 'NAKACK2', type, seqno } : header;
    });
    return { ...message, headers, dest: useMcastXmit ? null : requester, loopback: false };
  }

  /** Always from the original sender (JGroups' xmit_from_random_member is off). */
  #request(window: MemberWindow, seqnos: readonly number[], nowMs: number): void {
    const [first, last] = [seqnos[0] as number, seqnos.at(-1) as number];
    const { maxXmitReqSize } = this.#context.config;
    const end = Math.max(last + 1, Math.min(window.highest, first + maxXmitReqSize));
    this.#context.counters.xmitRequestsSent++;
    this.#context.peers.of(addressKey(window.sender)).groupRequested += seqnos.length;
    const header: Header = { protocol: 'NAKACK2', type: 'XMIT_REQ', sender: window.sender };
    const payload = encodeSeqnoList(seqnos, end);
    this.below.down(controlMessage(window.sender, CONTROL_FLAGS, header, payload), nowMs);
  }

  override nextDeadlineMs(): number {
    return Math.min(this.#nextTickMs, this.#resends.nextDeadlineMs());
  }

  override handleTimeout(nowMs: number): void {
    this.#resends.handleTimeout(nowMs);
    if (nowMs < this.#nextTickMs) return;
    this.#nextTickMs = nowMs + this.#context.config.mcastXmitIntervalMs;
    for (const [key, window] of this.#windows) {
      const seqnos = window.gapsToRequest();
      if (seqnos.length > 0) this.#request(window, seqnos, nowMs);
      const last = window.lastToRequest();
      if (last !== null) this.#request(window, [last], nowMs);
      const givenUp = window.takeGivenUp();
      if (givenUp === 0) continue;
      this.#context.counters.givenUp += givenUp;
      this.#deliver(key, window, nowMs);
    }
    const { highest, size } = this.#sent;
    const isDue = this.#lastSeqno.isDue(highest, size === 0, nowMs) || (this.onUnstable !== null && size > 0);
    if (this.#view === null || !isDue) return;
    this.#context.counters.highestSeqnosSent++;
    const header: Header = { protocol: 'NAKACK2', type: 'HIGHEST_SEQNO', seqno: highest };
    this.below.down(controlMessage(null, CONTROL_FLAGS, header), nowMs);
    this.onUnstable?.(nowMs);
  }

  /** Own messages that not all members have, as far as we know. */
  get unstable(): number {
    return this.#sent.size;
  }

  /** All members have our messages up to here. */
  get stableSeqno(): number {
    return this.#sent.acked;
  }

  /** Of a member other than this one. */
  peerStats(key: string, credits: number | null): UdpGroupStats {
    const window = this.#windows.get(key);
    const { groupRequested, groupRetransmitted, groupDuplicates } = this.#context.peers.find(key);
    return {
      delivered: window?.delivered ?? 0,
      gaps: window?.gaps ?? 0,
      requested: groupRequested,
      duplicates: groupDuplicates,
      retransmitted: groupRetransmitted,
      credits,
    };
  }

  // --- stability -------------------------------------------------------------------------------------------

  /** All members have what the digest says was delivered; who has received less than it says asks for the last. */
  stable(entries: readonly DigestEntry[], nowMs: number): void {
    for (const { key, pair } of entries) {
      if (key === this.#context.selfKey) {
        this.#settle(pair.highestDelivered);
        continue;
      }
      const window = this.#windows.get(key);
      if (window === undefined) continue;
      if (window.hear(pair.highestReceived)) this.#request(window, [pair.highestReceived], nowMs);
      window.purge(pair.highestDelivered);
    }
  }

  #settle(highestDelivered: number): void {
    const settled: Settled[] = [];
    let stable = 0;
    this.#sent.acknowledge(highestDelivered, ({ audience, completes, pendingBytes }) => {
      if (audience === undefined) return;
      stable += completes;
      let last = settled.at(-1);
      if (last?.audience !== audience) settled.push((last = { audience, messages: 0, bytes: 0 }));
      last.messages += completes;
      last.bytes += pendingBytes;
    });
    for (const { audience, messages, bytes } of settled) {
      for (const member of audience.members) {
        // not for one that left meanwhile, even if it is back: its messages ended as `memberLeft`
        const joined = this.#joined.get(member);
        if (joined !== undefined && joined <= audience.epoch) {
          this.#context.acknowledged(member, messages, bytes);
        }
      }
    }
    if (stable > 0) this.#context.groupStable(stable);
  }

  // --- digests and views -----------------------------------------------------------------------------------

  /** How far each member's messages have got here; ours as far as we sent them. */
  digest(): Digest {
    const { self, selfKey } = this.#context;
    const members = this.#view?.members ?? [self];
    const seqnos = members.map((member) => {
      const key = addressKey(member);
      const own = { highestDelivered: this.#sent.highest, highestReceived: this.#sent.highest };
      return key === selfKey ? own : (this.#windows.get(key)?.pair ?? NOTHING);
    });
    return { members, seqnos };
  }

  /** For members whose start is not known here. @throws {LocalProtocolError} `ERR_DIGEST` */
  setDigest(digest: Digest, members: readonly Address[]): void {
    for (const entry of digestEntries(digest, members)) {
      if (this.#windows.get(entry.key)?.isStartKnown !== true) this.#start(entry);
    }
  }

  /** Also for members of whose messages the digest has more than we. @throws {LocalProtocolError} `ERR_DIGEST` */
  mergeDigest(digest: Digest): void {
    for (const entry of digestEntries(digest)) {
      const window = this.#windows.get(entry.key);
      const isBehind = window === undefined || window.delivered < entry.pair.highestDelivered;
      if (isBehind || !window.isStartKnown) this.#start(entry);
    }
  }

  /** Never our own: nobody knows better than we what we sent. */
  #start({ member, key, pair }: DigestEntry): void {
    if (key === this.#context.selfKey) return;
    this.#windows.set(key, this.#createWindow(member, key, pair.highestDelivered));
  }

  #createWindow(member: Address, key: string, highestDelivered: number | null): MemberWindow {
    return new MemberWindow(member, highestDelivered, this.#departures.take(key), this.#context.config);
  }

  installView(view: GroupView, nowMs: number): void {
    this.#view = view;
    for (const [key, window] of this.#windows) {
      if (view.keys.has(key)) continue;
      this.#windows.delete(key);
      this.#departures.add(key, { delivered: window.delivered, atMs: nowMs });
    }
    for (const key of this.#joined.keys()) if (!view.keys.has(key)) this.#joined.delete(key);
    for (const member of view.members) {
      const key = addressKey(member);
      if (!this.#joined.has(key)) this.#joined.set(key, view.audience.epoch);
      if (key === this.#context.selfKey || this.#windows.has(key)) continue;
      this.#windows.set(key, this.#createWindow(member, key, null));
    }
  }

  override viewInstalled(nowMs: number): void {
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.up(message, nowMs);
  }
}

const EMPTY = new Uint8Array(0);
const NOTHING = { highestDelivered: 0, highestReceived: 0 };

/** Another member's message, to be sent in its name. */
function forward(message: InMessage | undefined): OutMessage | undefined {
  if (message === undefined) return undefined;
  const { src, flags, payload } = message;
  const headers = message.headers.filter(({ protocol }) => protocol !== 'TP');
  return { dest: null, src, flags, headers, payload, completes: 0, pendingBytes: 0 };
}
