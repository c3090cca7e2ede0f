/** The memory that peers take which have nothing to say. */

import type { MemberId } from '../../../src/protocol/member-id.ts';
import type { Messenger } from '../../../src/protocol/messenger.ts';
import { createView } from '../../../src/protocol/view.ts';

/** Heap and what hangs on it, after all garbage is gone; node must run with --expose-gc. */
export async function settledMemoryBytes(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run node with --expose-gc');
  // what one collection has finalized is only freed by the next
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc();
  }
  // at once: silent peers still PING, which leaves a megabyte of garbage within milliseconds
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Members in this process that say one thing each and are silent from then on. */
export class Talkers {
  readonly #create: () => Messenger;
  readonly #messengers: Messenger[] = [];

  constructor(create: () => Messenger) {
    this.#create = create;
  }

  /** @returns `<host>:<port>:<viewId>:<uuid>` each */
  async start(count: number, to: MemberId): Promise<string[]> {
    const members: string[] = [];
    for (let i = 0; i < count; i++) {
      const messenger = this.#create();
      messenger.setDefaultHandler(() => undefined);
      const self = { ...(await messenger.start()), viewId: 0 };
      messenger.installView(createView(1, [to, self]));
      members.push(`${self.host}:${self.port}:${self.viewId}:${self.uuid}`);
      messenger.send({ recipients: [to], payload: Buffer.alloc(100) });
      this.#messengers.push(messenger);
    }
    return members;
  }

  /** True once all that they said is acknowledged. */
  async flush(timeoutMs: number): Promise<boolean> {
    return (await Promise.all(this.#messengers.map((one) => one.flush(timeoutMs)))).every(Boolean);
  }
}
