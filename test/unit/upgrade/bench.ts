/** Members of both kinds on a virtual network. */

import type { JGroupsConfig } from '../../../src/jgroups/config.ts';
import { JGroupsMessenger } from '../../../src/jgroups/jgroups-messenger.ts';
import type { MemberId } from '../../../src/protocol/member-id.ts';
import type { Messenger } from '../../../src/protocol/messenger.ts';
import { createView } from '../../../src/protocol/view.ts';
import { DelegatingMessenger } from '../../../src/upgrade/delegating-messenger.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { VirtualEnvironment } from '../../sim/virtual-environment.ts';
import { VirtualNetwork } from '../../sim/virtual-network.ts';

export interface Node {
  readonly messenger: Messenger;
  readonly id: MemberId;
  readonly received: string[];
  readonly log: string[];
  readonly environment: VirtualEnvironment;
}

/** Members on hosts of their own. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock, { seed: 3 });
  readonly #jgroups: Partial<JGroupsConfig>;
  #count = 0;
  #viewId = 0;

  constructor(jgroups: Partial<JGroupsConfig> = {}) {
    this.#jgroups = jgroups;
  }

  async start(version: number, kind: 'old' | 'new' = version < 200 ? 'old' : 'new'): Promise<Node> {
    const n = ++this.#count;
    const log: string[] = [];
    const add = (line: string): void => void log.push(line);
    const logger = { debug: add, info: add, warn: add, error: add };
    const environment = new VirtualEnvironment(this.network, n, logger);
    const options = {
      environment,
      cluster: 'AG',
      host: `10.0.0.${n}`,
      ports: [41_000, 41_000] as const,
      member: { name: `m${n}`, version },
      jgroups: this.#jgroups,
    };
    const messenger = kind === 'old' ? new JGroupsMessenger(options) : new DelegatingMessenger(options);
    const received: string[] = [];
    messenger.setDefaultHandler(({ payload, stack }) => {
      received.push(`${stack} ${Buffer.from(payload).toString()}`);
    });
    const id = await this.clock.run(messenger.start(), 'start()');
    return { messenger, id, received, log, environment };
  }

  view(...nodes: readonly Node[]): void {
    const view = createView(
      ++this.#viewId,
      nodes.map(({ id }) => id),
    );
    for (const { messenger } of nodes) messenger.installView(view);
  }

  async run(ms: number): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs + ms);
  }
}

export const say = (node: Node, text: string): void => {
  node.messenger.send({ recipients: 'all', payload: Buffer.from(text) });
};
export const udpState = (node: Node): string | undefined => node.messenger.stats().stacks.udp?.state;
