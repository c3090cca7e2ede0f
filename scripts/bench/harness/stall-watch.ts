/** A measurement in which nothing moves any more has failed, long before its time is up. */

import { BrokenRun } from './bench-process.ts';

export interface StallLimits {
  readonly everyMs: number;
  /** Looks in a row at which nothing has come since the one before. */
  readonly looks: number;
}

/** Half a minute: longer than a stack's retransmissions pause for, and than a busy machine lets a process wait. */
const LIMITS: StallLimits = { everyMs: 5_000, looks: 6 };

/**
 * `work`, unless it stalls.
 * @param received how much has come so far
 * @throws {BrokenRun} says how far it came
 */
export async function unlessStalled<T>(
  work: Promise<T>,
  received: () => Promise<number>,
  due: number,
  limits: StallLimits = LIMITS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const stalled = new Promise<never>((_resolve, reject) => {
    let [last, looks] = [-1, 0];
    const look = async (): Promise<void> => {
      const now = await received();
      looks = now === last ? looks + 1 : 0;
      last = now;
      if (looks >= limits.looks) {
        const seconds = (limits.everyMs * limits.looks) / 1e3;
        throw new BrokenRun(`nothing came for ${seconds} s after ${now} of ${due} messages`);
      }
      if (!isOver) timer = setTimeout(next, limits.everyMs);
    };
    const next = (): void => void look().catch(reject);
    timer = setTimeout(next, limits.everyMs);
  });
  try {
    return await Promise.race([work, stalled]);
  } finally {
    isOver = true;
    clearTimeout(timer);
    stalled.catch(() => undefined); // a look that was under way may still fail
  }
}
