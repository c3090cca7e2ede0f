/** conn_id is a Java short that counts up and wraps to 0 (WIRE-3.6 section 5). */
export const MAX_CONN_ID = 0x7fff;

/**
 * For so long after a connection was in use the network may still bring datagrams of it and of older ones. A peer
 * that was restarted under its old uuid, and counts from 0 again, waits as long until it is heard.
 */
export const STALE_MS = 10_000;

/** Closed connections remembered at once; past it the oldest is forgotten. */
const MAX_CLOSED = 1_000;

/** True if the id was given out before the other one; half of the range is before, half after. */
export function isOlder(connId: number, than: number): boolean {
  const distance = (than - connId) & MAX_CONN_ID;
  return distance > 0 && distance <= MAX_CONN_ID >> 1;
}

/** The last connection of each peer that said CLOSE. */
export class ClosedConnections {
  readonly #closed = new Map<string, { readonly connId: number; readonly atMs: number }>();

  add(peer: string, connId: number, nowMs: number): void {
    this.#closed.delete(peer); // so that the order is that of age
    this.#closed.set(peer, { connId, atMs: nowMs });
    if (this.#closed.size <= MAX_CLOSED) return;
    for (const oldest of this.#closed.keys()) {
      this.#closed.delete(oldest);
      return;
    }
  }

  isStale(peer: string, connId: number, nowMs: number): boolean {
    const last = this.#closed.get(peer);
    if (last === undefined || nowMs - last.atMs >= STALE_MS) return false;
    return connId === last.connId || isOlder(connId, last.connId);
  }

  expire(nowMs: number): void {
    for (const [peer, { atMs }] of this.#closed) {
      if (nowMs - atMs < STALE_MS) return;
      this.#closed.delete(peer);
    }
  }
}
