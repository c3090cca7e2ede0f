/** So long a member that refused TLS is spoken to in plaintext before TLS is tried again. */
export const PLAINTEXT_RETRY_MS = 60_000;

/** More members than a cluster has. */
const MAX_PEERS = 4_096;

/**
 * With mode `accept-both`: which members take TLS. A member that took it once is never spoken to in plaintext again,
 * for its mode does not change while it runs; who then "refuses" TLS may be somebody in between.
 */
export class PeerMemory {
  /** Until when a peer is spoken to in plaintext; Infinity stands for TLS. The ones longest known come first. */
  readonly #peers = new Map<string, number>();

  handleSecured(peer: string): void {
    this.#set(peer, Infinity);
  }

  /** @returns whether plaintext may be tried instead */
  handleRefused(peer: string, nowMs: number): boolean {
    if (this.#peers.get(peer) === Infinity) return false;
    this.#set(peer, nowMs + PLAINTEXT_RETRY_MS);
    return true;
  }

  takesPlaintext(peer: string, nowMs: number): boolean {
    const untilMs = this.#peers.get(peer) ?? 0;
    return untilMs !== Infinity && nowMs < untilMs;
  }

  #set(peer: string, untilMs: number): void {
    this.#peers.delete(peer);
    this.#peers.set(peer, untilMs);
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= MAX_PEERS) return;
      this.#peers.delete(oldest);
    }
  }
}
