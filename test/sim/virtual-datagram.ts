import type { DatagramSocket } from '../../src/protocol/environment.ts';
import type { Death, Resource, VirtualEnvironment } from './virtual-environment.ts';
import type { VirtualNetwork } from './virtual-network.ts';

/** The UDP half of a port, or what hears a multicast address for it. */
export class VirtualDatagramSocket implements DatagramSocket, Resource {
  onDatagram: (bytes: Uint8Array, host: string, port: number) => void = () => undefined;
  readonly host: string;
  readonly port: number;
  readonly #network: VirtualNetwork;
  readonly #environment: VirtualEnvironment;
  #queuedBytes = 0;
  /** When the last datagram of the queue will have been handled. */
  #busyUntilMs = 0;
  #closed = false;

  constructor(network: VirtualNetwork, environment: VirtualEnvironment, host: string, port: number) {
    this.#network = network;
    this.#environment = environment;
    this.host = host;
    this.port = port;
  }

  send(bytes: Uint8Array, host: string, port: number): void {
    if (!this.#closed) this.#network.sendDatagram(this, bytes, host, port);
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#environment.resources.delete(this);
      this.#network.release(this);
    }
    return Promise.resolve();
  }

  die(death: Death): void {
    this.#closed = true;
    this.#network.release(this, death);
  }

  /** As Linux: whatever comes is taken while the queue is not full, even if it makes it so. */
  receive(bytes: Buffer, from: { host: string; port: number }): void {
    const network = this.#network;
    if (this.#queuedBytes >= network.receiveQueueBytes) {
      network.counters.overflowed++;
      return;
    }
    this.#queuedBytes += bytes.length;
    if (network.serviceMs === 0) {
      this.#handle(bytes, from);
      return;
    }
    this.#busyUntilMs = Math.max(this.#busyUntilMs, network.clock.nowMs) + network.serviceMs;
    network.clock.at(this.#busyUntilMs, () => this.#handle(bytes, from));
  }

  #handle(bytes: Buffer, from: { host: string; port: number }): void {
    this.#environment.post(() => {
      this.#queuedBytes -= bytes.length;
      if (!this.#closed) this.onDatagram(bytes, from.host, from.port);
    });
  }
}
