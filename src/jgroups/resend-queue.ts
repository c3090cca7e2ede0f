import type { OutMessage } from './protocol.ts';

/**
 * What is sent again at once, and again after each pause. A Geode receiver has a buffer of 64 KiB, and the kernel
 * counts each datagram at up to twice its size: more in one go would only be lost again.
 */
const SLICE_BYTES = 32 * 1024;

/** Counted for each message on top of its payload: headers, and the kernel's own of a small datagram. */
const MESSAGE_COST_BYTES = 512;

/** Between two slices: 6.4 MB/s, where JGroups sends all that is asked for in one go. */
const PAUSE_MS = 5;

/** Of one requester: a new request says best what is missing, so the one before is forgotten. */
interface Request {
  readonly seqnos: readonly number[];
  next: number;
  /** Undefined: it is not there any more, or nobody wants it. */
  readonly find: (seqno: number) => OutMessage | undefined;
}

/**
 * Answers to requests for retransmission, in slices, for a request may be for all of 511,600 messages. Requesters
 * take no turns: each has its own slices, for each has its own receive buffer.
 */
export class ResendQueue {
  readonly #requests = new Map<string, Request>();
  readonly #resend: (message: OutMessage, nowMs: number) => void;
  #nextMs = Infinity;

  constructor(resend: (message: OutMessage, nowMs: number) => void) {
    this.#resend = resend;
  }

  /** @param requester and whatever else tells its requests apart */
  add(requester: string, seqnos: readonly number[], find: Request['find'], nowMs: number): void {
    const waited = this.#requests.has(requester);
    const request = { seqnos, next: 0, find };
    this.#requests.set(requester, request);
    // whoever asks again within a pause gets no slice more than it would have
    if (!waited && this.#sendSlice(request, nowMs)) this.#requests.delete(requester);
    if (this.#requests.size > 0) this.#nextMs = Math.min(this.#nextMs, nowMs + PAUSE_MS);
  }

  nextDeadlineMs(): number {
    return this.#nextMs;
  }

  handleTimeout(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    for (const [requester, request] of this.#requests) {
      if (this.#sendSlice(request, nowMs)) this.#requests.delete(requester);
    }
    this.#nextMs = this.#requests.size === 0 ? Infinity : nowMs + PAUSE_MS;
  }

  /** True: that was all. */
  #sendSlice(request: Request, nowMs: number): boolean {
    const { seqnos, find } = request;
    let left = SLICE_BYTES;
    while (left > 0 && request.next < seqnos.length) {
      const message = find(seqnos[request.next++] as number);
      if (message === undefined) continue;
      left -= MESSAGE_COST_BYTES + (message.payload?.length ?? 0);
      this.#resend(message, nowMs);
    }
    return request.next >= seqnos.length;
  }
}
