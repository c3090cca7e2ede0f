import { Flag } from '../../../codecs/jgroups/message.ts';
import { resolveConfig } from '../../../src/jgroups/config.ts';
import { JGroupsStack } from '../../../src/jgroups/stack.ts';
import { seededRng } from '../../../src/protocol/rng.ts';
import { member } from './codec.ts';
import { measure } from './timing.ts';

const A = member(1);
const B = member(2);

/** Two stacks that hand each other their datagrams: all of the way but for the sockets and the messengers. */
class Couple {
  readonly a: JGroupsStack;
  readonly b: JGroupsStack;
  delivered = 0;
  nowMs = 0;
  #toA: Uint8Array[] = [];
  #toB: Uint8Array[] = [];

  constructor() {
    const config = resolveConfig({ maxCredits: 64 * 1024 * 1024 });
    const events = (transmit: (datagram: Uint8Array) => void) => ({
      transmit,
      transmitToGroup: () => undefined,
      deliver: () => {
        this.delivered++;
      },
      acknowledged: () => undefined,
      complain: (_kind: string, peer: string, what: string) => {
        throw new Error(`${peer}: ${what}`);
      },
    });
    this.a = new JGroupsStack(
      config,
      A,
      events((datagram) => void this.#toB.push(datagram)),
      seededRng(1),
      0,
    );
    this.b = new JGroupsStack(
      config,
      B,
      events((datagram) => void this.#toA.push(datagram)),
      seededRng(2),
      0,
    );
    for (const stack of [this.a, this.b]) stack.installView({ members: [A, B] }, 0);
  }

  /** Until nothing is under way; what is due when a turn ends, acks above all, is sent after each round. */
  carry(): void {
    while (this.#toA.length + this.#toB.length > 0) {
      const [toA, toB] = [this.#toA, this.#toB];
      this.#toA = [];
      this.#toB = [];
      for (const datagram of toB) this.b.handleDatagram(datagram, A.host, A.port, this.nowMs);
      for (const datagram of toA) this.a.handleDatagram(datagram, B.host, B.port, this.nowMs);
      for (const stack of [this.b, this.a])
        if (stack.nextDeadlineMs() <= this.nowMs) stack.handleTimeout(this.nowMs);
    }
  }

  tick(): void {
    this.nowMs += 500;
    this.b.handleTimeout(this.nowMs);
    this.a.handleTimeout(this.nowMs);
    this.carry();
  }
}

/** Nanoseconds from `send` to delivery and acknowledgement, of both sides together. */
export function measureStack(ms: number, only = ''): Record<string, string | number>[] {
  const cases: readonly (readonly [string, number, number])[] = [
    ['100 B', 100, Flag.DONT_BUNDLE],
    ['1 KiB', 1024, Flag.DONT_BUNDLE],
    ['1 KiB that may be bundled', 1024, 0],
    ['64 KiB in fragments', 65_536, Flag.DONT_BUNDLE],
    ['1 MiB in fragments', 1_048_576, Flag.DONT_BUNDLE],
  ];
  return cases
    .filter(([name]) => name.includes(only))
    .map(([name, size, flags]) => {
      const couple = new Couple();
      const payload = Buffer.alloc(size, 7);
      const batch = Math.max(1, Math.min(32, Math.floor(1_000_000 / size)));
      let batches = 0;
      const cost = measure(ms, () => {
        for (let i = 0; i < batch; i++) couple.a.send(B, payload, flags, couple.nowMs);
        couple.carry();
        if (++batches % 32 === 0) couple.tick();
      });
      couple.tick();
      if (couple.delivered !== batches * batch) {
        throw new Error(`${couple.delivered} of ${batches * batch} messages were delivered`);
      }
      return {
        message: name,
        ns: Math.round(cost.nsPerCall / batch),
        'heap bytes': Math.round(cost.bytesPerCall / batch),
        'MB/s': Math.round((size * 1000 * batch) / cost.nsPerCall),
      };
    });
}
