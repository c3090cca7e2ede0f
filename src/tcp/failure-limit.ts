/** In this time all failures that an address may have are forgiven, evenly: 20 of them one a second. */
export const FORGIVEN_MS = 20_000;

/**
 * What each member adds to the allowance of its address, in allowances of a stranger: 4 failures a second, and 80 at
 * once. A member that fails each time tries eleven times within its first four seconds and at most once a second from
 * then on, so that even a host whose members all reconnect, and fail, at once stays far below.
 */
export const ALLOWANCES_OF_A_MEMBER = 4;

/**
 * Addresses remembered; of more than these the one is forgotten that has not failed for longest. Whoever has more
 * addresses than this is not held back by them. Some 100 bytes each.
 */
export const MAX_FAILED_ADDRESSES = 4_096;

interface Failures {
  /** Not forgiven yet at `atMs`. */
  count: number;
  atMs: number;
}

/**
 * Connections that end before WELCOME cost us time, TLS's handshakes the most, and whoever makes them can make more:
 * what each address may have of them is bounded (a token bucket). A member that gets in is forgiven everything, or whoever
 * shows a certificate: a network that breaks connections again and again does not bar those who come back each time.
 */
export class FailureLimit {
  readonly #limit: number;
  /** The one that failed longest ago comes first. */
  readonly #failures = new Map<string, Failures>();
  #membersOf: ReadonlyMap<string, number> = new Map();

  /** @param maxFailures of an address that no member has; Infinity: no limit */
  constructor(maxFailures: number) {
    this.#limit = maxFailures;
  }

  /** Addresses that have failures which are not forgiven, or were not when they were looked at last. */
  get size(): number {
    return this.#failures.size;
  }

  /** @param membersOf how many members of the view each address has */
  installView(membersOf: ReadonlyMap<string, number>): void {
    this.#membersOf = membersOf;
  }

  /** Whether it has no failure left. */
  isBarred(address: string, nowMs: number): boolean {
    const failures = this.#failures.get(address);
    if (failures === undefined) return false;
    this.#forgive(address, failures, nowMs);
    // what is left of a whole one by rounding is none
    return failures.count > this.allowance(address) - 1 + 1e-6;
  }

  handleFailure(address: string, nowMs: number): void {
    if (this.#limit === Infinity) return;
    const failures = this.#failures.get(address) ?? { count: 0, atMs: nowMs };
    this.#failures.delete(address);
    this.#forgive(address, failures, nowMs);
    failures.count = Math.min(failures.count + 1, this.allowance(address));
    this.#failures.set(address, failures);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_FAILED_ADDRESSES) break;
      this.#failures.delete(oldest);
    }
  }

  /** Somebody of that address got in. */
  handleSuccess(address: string): void {
    this.#failures.delete(address);
  }

  /** Failures that it may have at once, and within `FORGIVEN_MS` again. */
  allowance(address: string): number {
    return this.#limit * (1 + ALLOWANCES_OF_A_MEMBER * (this.#membersOf.get(address) ?? 0));
  }

  #forgive(address: string, failures: Failures, nowMs: number): void {
    const allowance = this.allowance(address);
    const forgiven = allowance * ((nowMs - failures.atMs) / FORGIVEN_MS);
    // an address that has fewer members than it had has its limit anew, and no more to wait for
    failures.count = Math.max(0, Math.min(failures.count, allowance) - forgiven);
    failures.atMs = nowMs;
    if (failures.count === 0) this.#failures.delete(address);
  }
}
