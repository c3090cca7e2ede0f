import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { ProxiedConnection } from './proxied-connection.ts';
import type { CutPlan } from './plans.ts';

const HOST = '127.0.0.1';

/** What the proxy asks and tells. */
export interface ProxyOwner {
  /** How the connection that was just accepted is to end; null: it is only forwarded. */
  nextPlan(): CutPlan | null;
  /** The plan was carried out. */
  handleCut(plan: CutPlan): void;
  /** The connection ended before it came to that. */
  handleUnused(plan: CutPlan): void;
  handleConnection(): void;
}

/** A port in front of a member's: connections to it are forwarded byte by byte, until their plan says otherwise. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #owner: ProxyOwner;
  readonly #open = new Set<ProxiedConnection>();
  readonly port: number;
  /** Where connections are forwarded to. */
  targetPort = 0;

  private constructor(server: Server, owner: ProxyOwner) {
    this.#server = server;
    this.#owner = owner;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => this.#accept(socket));
  }

  static listen(owner: ProxyOwner): Promise<CuttingProxy> {
    // half-open: one direction may end before the other, as on the wire
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: HOST, port: 0 }, () => resolve(new CuttingProxy(server, owner)));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#open) connection.reset();
    await closed;
  }

  #accept(near: Socket): void {
    const owner = this.#owner;
    owner.handleConnection();
    const plan = owner.nextPlan();
    const far = connect({ host: HOST, port: this.targetPort, noDelay: true, allowHalfOpen: true });
    let isUsed = plan === null;
    const connection = new ProxiedConnection(near, far, plan, {
      handleCut: () => {
        if (isUsed || plan === null) return;
        isUsed = true;
        owner.handleCut(plan);
      },
      handleClosed: () => {
        this.#open.delete(connection);
        if (!isUsed && plan !== null) owner.handleUnused(plan);
      },
    });
    this.#open.add(connection);
    connection.start();
  }
}
