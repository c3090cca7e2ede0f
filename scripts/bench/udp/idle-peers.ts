/** The memory that peers take which have nothing to say. */

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { JGroupsMessenger } from '../../../src/jgroups/jgroups-messenger.ts';
import type { MemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';

/** Heap and what hangs on it, after all garbage is gone; node must run with --expose-gc. */
export async function settledMemoryBytes(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run node with --expose-gc');
  // what one collection has finalized is only freed by the next
  for (let i = 0; i < 4; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Members in this process that say one thing to `to` and are silent from then on.
 * @returns `<host>:<port>:<viewId>:<uuid>` each
 */
export async function startTalkers(count: number, to: MemberId): Promise<string[]> {
  const environment = createNodeEnvironment();
  const members: string[] = [];
  for (let i = 0; i < count; i++) {
    const messenger = new JGroupsMessenger({
      environment,
      cluster: 'AG',
      member: { version: 150 },
      host: '127.0.0.1',
      ports: [0, 0],
      udpReceiveBufferBytes: 65_536,
      udpSendBufferBytes: 65_536,
    });
    messenger.setDefaultHandler(() => undefined);
    const self = { ...(await messenger.start()), viewId: 0 };
    messenger.installView(createView(1, [to, self]));
    members.push(`${self.host}:${self.port}:${self.viewId}:${self.uuid}`);
    messenger.send({ recipients: [to], payload: Buffer.alloc(100) });
    talkers.push(messenger);
  }
  return members;
}

const talkers: JGroupsMessenger[] = [];

/** True once all that they said is acknowledged. */
export async function flushTalkers(timeoutMs: number): Promise<boolean> {
  return (await Promise.all(talkers.map((one) => one.flush(timeoutMs)))).every(Boolean);
}
