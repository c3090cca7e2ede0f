/** Hostile clients, all in one process of low priority: they are to cost the victim, not the machine, its time. */

import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { connect as connectTls } from 'node:tls';

import type { MemberId } from '../../src/protocol/member-id.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { type Attack, ATTACKS } from './attacks.ts';
import { answer } from './processes.ts';

const TICK_MS = 20;

/** Until all were opened once. */
const OPENS_A_SECOND = 4_000;

const TRICKLE_MS = 1_000;

/** They come from as many addresses of the loopback network. */
const ADDRESSES = 20;

/** Said by then, a hostile client that hangs up does. */
const LINGER_MS = 100;

export interface AttackFigures {
  readonly open: number;
  readonly opened: number;
  /** Closed by the victim. */
  readonly closed: number;
}

setPriority(10);
const rng = seededRng(1);

class Clients {
  readonly #attack: Attack;
  readonly #victim: MemberId;
  readonly #limit: number;
  readonly #open = new Map<Socket, { rest: Uint8Array }>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Connections to be opened by now; a tick's share may be less than one. */
  #due = 0;
  #opened = 0;
  #closed = 0;
  #stopped = false;

  constructor(attack: Attack, victim: MemberId, limit: number) {
    this.#attack = attack;
    this.#victim = victim;
    this.#limit = limit;
    this.#timers.push(setInterval(() => this.#fill(), TICK_MS));
    if (attack.trickles) this.#timers.push(setInterval(() => this.#trickle(), TRICKLE_MS));
  }

  get figures(): AttackFigures {
    return { open: this.#open.size, opened: this.#opened, closed: this.#closed };
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#open.keys()) {
      // what is inside of TLS cannot be reset
      if (this.#attack.shakesHands) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  #fill(): void {
    const aSecond = this.#opened < this.#limit ? OPENS_A_SECOND : this.#attack.replacedASecond;
    this.#due += (aSecond * TICK_MS) / 1_000;
    for (; this.#due >= 1; this.#due--) if (this.#open.size < this.#limit) this.#connect();
  }

  #connect(): void {
    const { host, port } = this.#victim;
    const localAddress = `127.0.0.${2 + (this.#opened++ % ADDRESSES)}`;
    const { shakesHands } = this.#attack;
    const where = { host, port, localAddress, noDelay: true };
    const socket = shakesHands ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
    const bytes = this.#attack.opening(this.#victim, rng);
    const client = { rest: this.#attack.trickles ? bytes : bytes.subarray(bytes.length) };
    this.#open.set(socket, client);
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      this.#open.delete(socket);
      if (!this.#stopped) this.#closed++;
    });
    socket.on(shakesHands ? 'secureConnect' : 'connect', () => {
      if (!this.#attack.trickles) socket.write(bytes);
      if (this.#attack.hangsUp) setTimeout(() => socket.destroy(), LINGER_MS);
    });
    socket.resume();
  }

  #trickle(): void {
    for (const [socket, client] of this.#open) {
      socket.write(client.rest.subarray(0, 1));
      client.rest = client.rest.subarray(1);
    }
  }
}

let clients: Clients | null = null;

answer({
  start({ name, victim, limit }: { name: string; victim: MemberId; limit: number }) {
    const attack = ATTACKS.find((candidate) => candidate.name === name);
    if (attack === undefined) throw new Error(`no attack ${name}`);
    clients = new Clients(attack, victim, limit);
  },
  figures: () => clients?.figures,
  stop: () => clients?.stop(),
});
