import type { Fate, VirtualNetwork } from './virtual-network.ts';
import type { VirtualStream } from './virtual-stream.ts';
import type { Death } from './virtual-environment.ts';

/** Past this `write` says false: node's high-water mark and what a kernel's send buffer holds at the least. */
const HIGH_WATER_BYTES = 64 * 1024;

/** How often something that stands still is looked at again. */
const POLL_MS = 5;

/** A system repeats what nobody acknowledges, more and more seldom. */
const RETRANSMIT_MS = 200;

/** Chunks that a reader gets are of any length; now and then of one byte. */
const TINY_CHUNK = 0.1;
const WHOLE_CHUNK = 0.5;

interface Written {
  readonly bytes: Uint8Array;
  readonly checksum: number;
  /** Bytes that have arrived. */
  offset: number;
}

/** One direction of a connection: bytes in order, in pieces that have nothing to do with how they were written. */
export class Pipe {
  readonly #network: VirtualNetwork;
  readonly #from: VirtualStream;
  readonly #written: Written[] = [];
  #buffered = 0;
  #started = false;
  #scheduled = false;
  #drainWanted = false;
  #finished = false;
  #endError: Error | null = null;
  #cut = false;
  #peerLost = false;
  #stalledUntilMs = 0;
  /** Bytes that arrive before `#fate` does. */
  #left = Infinity;
  #fate: Fate | null = null;

  constructor(network: VirtualNetwork, from: VirtualStream) {
    this.#network = network;
    this.#from = from;
  }

  /** What is to become of it after so many bytes. */
  plan(cut: { readonly fate: Fate; readonly offset: number } | null): void {
    this.#left = cut?.offset ?? Infinity;
    this.#fate = cut?.fate ?? null;
  }

  push(bytes: Uint8Array): boolean {
    this.#buffered += bytes.length;
    const writable = this.#buffered < HIGH_WATER_BYTES;
    if (!writable) this.#drainWanted = true;
    if (this.#cut || bytes.length === 0) return writable;
    this.#written.push({ bytes, checksum: this.#network.checksum(bytes), offset: 0 });
    this.#schedule(this.#network.latencyMs());
    return writable;
  }

  start(): void {
    this.#started = true;
    this.#schedule(this.#network.latencyMs());
  }

  /** After what is buffered comes the end (null) or a reset. */
  finish(error: Error | null): void {
    this.#finished = true;
    this.#endError = error;
    this.#schedule(this.#network.latencyMs());
  }

  /** A part of what is under way, cut at any byte, is lost. */
  truncate(): void {
    let keep = Math.floor(this.#network.rng.next() * (this.#buffered + 1));
    if (this.#network.chance(0.5)) keep = this.#buffered;
    while (this.#buffered > keep) {
      const last = this.#written.at(-1);
      if (last === undefined) break;
      const drop = Math.min(last.bytes.length - last.offset, this.#buffered - keep);
      this.#buffered -= drop;
      this.#written.pop();
      const end = last.bytes.length - drop;
      if (end > last.offset) {
        const bytes = last.bytes.subarray(0, end);
        this.#written.push({ bytes, checksum: this.#network.checksum(bytes), offset: last.offset });
        break;
      }
    }
  }

  /** Nothing arrives any more, not even an end. */
  cut(): void {
    this.#cut = true;
    this.#written.length = 0;
  }

  losePeer(death: Death): void {
    if (death === 'reset') this.cut();
    else this.#peerLost = true;
  }

  #schedule(delayMs: number): void {
    if (this.#scheduled || this.#cut || !this.#started) return;
    this.#scheduled = true;
    this.#network.clock.after(delayMs, () => {
      this.#scheduled = false;
      if (!this.#cut) this.#arrive();
    });
  }

  #arrive(): void {
    const network = this.#network;
    const to = this.#from.peer;
    if (to === null) return;
    if (this.#peerLost) {
      this.#repeatToDead();
      return;
    }
    if (network.isBlocked(this.#from.localHost, to.localHost) || !this.#canArrive(to)) {
      this.#schedule(POLL_MS);
      return;
    }
    if (this.#buffered > 0 && this.#left > 0) {
      if (this.#suffersFault(to)) return;
      this.#deliver(to);
    }
    if (this.#left === 0 && this.#fate !== null) {
      this.#meetFate(this.#fate, to);
      return;
    }
    if (this.#written.length > 0) {
      this.#schedule(network.rng.next() * network.faults.maxLatencyMs * 0.25);
    } else if (this.#finished) {
      this.#cut = true;
      to.environment.post(() => to.handleEnd(this.#endError));
    }
  }

  #canArrive(to: VirtualStream): boolean {
    return to.isOpen && !to.environment.isPaused && this.#network.clock.nowMs >= this.#stalledUntilMs;
  }

  #suffersFault(to: VirtualStream): boolean {
    const network = this.#network;
    if (network.chance(network.faults.reset)) {
      this.#from.reset();
      return true;
    }
    if (!network.chance(network.faults.stall)) return false;
    network.counters.stalls++;
    this.#stalledUntilMs = network.clock.nowMs + network.rng.next() * network.faults.stallMs;
    network.trace?.(
      `${this.#from.localHost} > ${to.localHost} stream stands still until ${this.#stalledUntilMs.toFixed(1)}`,
    );
    this.#schedule(POLL_MS);
    return true;
  }

  #meetFate(fate: Fate, to: VirtualStream): void {
    const network = this.#network;
    network.counters.cuts++;
    network.trace?.(`${this.#from.localHost} > ${to.localHost} stream is cut: ${fate}`);
    this.cut();
    switch (fate) {
      case 'reset':
        this.#from.reset();
        return;
      case 'end':
        to.environment.post(() => to.handleEnd(null));
        return;
      case 'half-open':
        to.out.cut();
        this.#from.loseConnection();
        return;
      case 'hang':
    }
  }

  /** The host answers again, for another process: it resets what it does not know. */
  #repeatToDead(): void {
    const stream = this.#from;
    if (stream.isClosed) return;
    if (this.#network.isHostDead(stream.remoteHost)) this.#schedule(RETRANSMIT_MS);
    else stream.reset();
  }

  #deliver(to: VirtualStream): void {
    const chunk = this.#take(Math.min(this.#chunkLength(), this.#left));
    this.#left -= chunk.length;
    this.#network.counters.streamBytes += chunk.length;
    this.#network.trace?.(`${this.#from.localHost} > ${to.localHost} stream ${chunk.length} bytes`);
    to.environment.post(() => {
      if (!to.isClosed) to.onData(chunk);
    });
    if (this.#drainWanted && this.#buffered < HIGH_WATER_BYTES / 2) {
      this.#drainWanted = false;
      this.#from.environment.post(() => {
        if (!this.#from.isClosed) this.#from.onDrain();
      });
    }
  }

  #chunkLength(): number {
    const draw = this.#network.rng.next();
    if (draw < TINY_CHUNK) return 1;
    if (draw < TINY_CHUNK + WHOLE_CHUNK) return this.#buffered;
    return 1 + Math.floor(this.#network.rng.next() * this.#buffered);
  }

  #take(length: number): Buffer {
    const chunk = Buffer.allocUnsafe(Math.min(length, this.#buffered));
    let filled = 0;
    while (filled < chunk.length) {
      const first = this.#written[0]!;
      if (first.offset === 0 && this.#network.checksum(first.bytes) !== first.checksum) {
        throw new Error(`${this.#from.localHost} changed bytes after it had written them to a stream`);
      }
      const part = Math.min(first.bytes.length - first.offset, chunk.length - filled);
      chunk.set(first.bytes.subarray(first.offset, first.offset + part), filled);
      filled += part;
      first.offset += part;
      if (first.offset === first.bytes.length) this.#written.shift();
    }
    this.#buffered -= chunk.length;
    return chunk;
  }
}
