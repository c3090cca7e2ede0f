/**
 * A bound on what is on its way to a recipient, kept by the programs on both ends, for libraries that do nothing about a
 * recipient which is behind that a benchmark could rely on. The receiver tells by a small message how many came in all.
 */

/** Far below the 64 MB that nats-server holds for a subscriber. */
const WINDOW_BYTES = 8_388_608;
const ACK_MESSAGES = 64;
const ACK_BYTES = 262_144;
/** Shorter than any message of a benchmark. */
const ACK_LENGTH = 4;

/** What is on its way to one recipient. */
export class SendWindow {
  readonly #mostMessages: number;
  #limit = 0;
  #sent = 0;
  #acked = 0;
  #wake: () => void = () => undefined;

  constructor(mostMessages: number) {
    this.#mostMessages = mostMessages;
  }

  /** What was sent before has arrived: the measurement before would not have ended else. */
  begin(sizeBytes: number): void {
    this.#acked = this.#sent;
    this.#limit = Math.max(2, Math.min(this.#mostMessages, Math.floor(WINDOW_BYTES / sizeBytes)));
  }

  get isFull(): boolean {
    return this.#sent - this.#acked >= this.#limit;
  }

  handleSent(): void {
    this.#sent++;
  }

  handleAck(ack: Buffer): void {
    const count = ack.readUInt32BE(0);
    if (count <= this.#acked) return;
    this.#acked = count;
    if (!this.isFull) this.#wake();
  }

  /** Resolves once it is no longer full. */
  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** Counts what comes from one sender. */
export class AckCounter {
  #count = 0;
  #messages = 0;
  #bytes = 0;

  /** @returns what is to be sent now */
  handle(sizeBytes: number): Buffer | null {
    this.#count++;
    this.#bytes += sizeBytes;
    if (++this.#messages < ACK_MESSAGES && this.#bytes < ACK_BYTES) return null;
    this.#messages = this.#bytes = 0;
    const ack = Buffer.allocUnsafe(ACK_LENGTH);
    ack.writeUInt32BE(this.#count, 0);
    return ack;
  }
}

export function isAck(payload: Uint8Array): boolean {
  return payload.length === ACK_LENGTH;
}
