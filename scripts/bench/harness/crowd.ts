import type { Endpoint, Engine } from './worker.ts';

/** Several members in one process that only receive: each knows the first member of the view, who sends, and itself. */
export class CrowdEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #engines: readonly Engine[];
  #uuids: readonly string[] = [];

  constructor(engines: readonly Engine[]) {
    this.#engines = engines;
    engines.forEach((engine, index) => {
      engine.onMessage = (payload, from) => this.onMessage(payload, from, index);
    });
  }

  async start(): Promise<Endpoint & { members: readonly Endpoint[] }> {
    const members = await Promise.all(this.#engines.map((engine) => engine.start()));
    this.#uuids = members.map(({ uuid }) => uuid);
    return { ...(members[0] as Endpoint), members };
  }

  async installView(id: number, members: readonly string[]): Promise<void> {
    const [sender = '', ...others] = members;
    for (const [index, engine] of this.#engines.entries()) {
      const own = others.filter((member) => member.endsWith(`:${this.#uuids[index] ?? ''}`));
      await engine.installView(id, [sender, ...own]);
    }
  }

  send(): Promise<void> {
    return Promise.reject(new Error('a crowd does not send'));
  }

  sendOne(): void {
    throw new Error('a crowd does not answer');
  }

  async drain(timeoutMs: number): Promise<boolean> {
    return (await Promise.all(this.#engines.map((engine) => engine.drain(timeoutMs)))).every(Boolean);
  }
}
