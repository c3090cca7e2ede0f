/**
 * A network of its own for one group of processes: a network namespace for each host, joined by a bridge in another
 * one, with nftables in each to lose datagrams. The namespaces have no names: each is held by a process that ends with
 * its standard input, so that whatever becomes of us, everything is gone with us. The machine's own namespace is not
 * touched.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

const COMMAND_TIMEOUT_MS = 20_000;
/** Of the range for benchmarks (RFC 2544): no real host has it, and the namespaces reach none anyway. */
const SUBNET = '198.18.0';
const FIRST_HOST = 10;

/** System tools first: npm puts a package's program of the name nft before the real one. */
const ENVIRONMENT = { ...process.env, PATH: `/usr/sbin:/sbin:/usr/bin:/bin:${process.env['PATH'] ?? ''}` };

/** Where one member runs. */
export interface Host {
  readonly address: string;
  /** Runs a command there; empty for here. */
  readonly wrapper: readonly string[];
}

export interface Lab {
  readonly hosts: readonly Host[];
  /** What the lab does to the datagrams between its hosts; false: members must do it to their own. */
  readonly losesDatagrams: boolean;
  /** From now on these hosts hear nothing at all, or again what the network lets through. */
  setCutOff(hosts: readonly Host[], cutOff: boolean): Promise<void>;
  /** Datagrams lost so far, but for those of hosts that were cut off. */
  lost(): Promise<number>;
  close(): Promise<void>;
}

/** Why labs cannot be had here; null if they can. */
export async function whyNoLab(): Promise<string | null> {
  try {
    const lab = await createLab(2, 0.5);
    await lab.close();
    return null;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? 'unknown';
  }
}

/** All on 127.0.0.1, and nothing is lost on the way. */
export function createLoopback(hosts: number): Lab {
  const host: Host = { address: '127.0.0.1', wrapper: [] };
  return {
    hosts: Array.from({ length: hosts }, () => host),
    losesDatagrams: false,
    setCutOff: () => Promise.reject(new Error('hosts cannot be cut off without network namespaces')),
    lost: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  };
}

/** @param loss share of the datagrams that each host loses on their way in, 0..1 */
export async function createLab(hosts: number, loss: number): Promise<Lab> {
  const holders: Holder[] = [];
  try {
    for (let i = 0; i <= hosts; i++) holders.push(await Holder.create());
    const [hub, ...members] = holders as [Holder, ...Holder[]];
    await hub.run(hubScript(members));
    await Promise.all(members.map((member, i) => member.run(hostScript(addressOf(i), loss))));
    return new NamespaceLab(hub, members);
  } catch (error) {
    for (const holder of holders) await holder.close();
    throw error;
  }
}

const addressOf = (host: number): string => `${SUBNET}.${FIRST_HOST + host}`;

function hubScript(members: readonly Holder[]): string {
  const links = members.map(
    ({ pid }, i) =>
      `ip link add port${i} type veth peer name eth0 netns ${pid}\nip link set port${i} master hub up`,
  );
  // without snooping group addresses reach every port at once, as they do on a plain switch
  return ['ip link add hub type bridge mcast_snooping 0', 'ip link set hub up', ...links].join('\n');
}

/** Input, not output: a datagram that is dropped there fails at its sender, which no network does. */
function hostScript(address: string, loss: number): string {
  const share = Math.round(loss * 1_000);
  const lose = share === 0 ? '' : `numgen random mod 1000 < ${share} counter name lost drop`;
  return `ip link set lo up
ip addr add ${address}/24 dev eth0
ip link set eth0 up
ip route add default dev eth0
nft -f - <<'END'
table inet rollgate {
  counter lost {}
  chain cut { }
  chain input {
    type filter hook input priority 0;
    meta l4proto udp jump cut
    meta l4proto udp ${lose}
  }
}
END
`;
}

class NamespaceLab implements Lab {
  readonly losesDatagrams = true;
  readonly hosts: readonly Host[];
  readonly #hub: Holder;
  readonly #holders = new Map<Host, Holder>();

  constructor(hub: Holder, members: readonly Holder[]) {
    this.#hub = hub;
    this.hosts = members.map((holder, i) => {
      const host = { address: addressOf(i), wrapper: holder.wrapper };
      this.#holders.set(host, holder);
      return host;
    });
  }

  async setCutOff(hosts: readonly Host[], cutOff: boolean): Promise<void> {
    const script = cutOff ? 'nft add rule inet rollgate cut drop' : 'nft flush chain inet rollgate cut';
    await Promise.all(hosts.map(async (host) => this.#holders.get(host)?.run(script)));
  }

  async lost(): Promise<number> {
    const script = 'nft list counter inet rollgate lost';
    const texts = await Promise.all([...this.#holders.values()].map((holder) => holder.run(script)));
    return texts.reduce((sum, text) => sum + Number(/packets (\d+)/.exec(text)?.[1] ?? NaN), 0);
  }

  async close(): Promise<void> {
    for (const holder of [...this.#holders.values(), this.#hub]) await holder.close();
  }
}

/** A process whose only business is to be in a network namespace of its own. */
class Holder {
  readonly pid: number;
  readonly wrapper: readonly [string, ...string[]];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.wrapper = ['nsenter', `--net=/proc/${pid}/ns/net`];
  }

  static async create(): Promise<Holder> {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec cat'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.stdin.on('error', () => undefined);
    const failed = new Promise<never>((_, reject) => {
      child.on('error', reject);
      child.on('exit', () => reject(new Error(`no network namespace: ${said.trim()}`)));
    });
    failed.catch(() => undefined);
    await Promise.race([once(child.stdout, 'data'), failed]);
    if (child.pid === undefined) throw new Error('no network namespace: the process has no pid');
    return new Holder(child, child.pid);
  }

  /** Runs a shell script in the namespace. @throws {Error} with what it said if it fails */
  run(script: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const [program, ...args] = this.wrapper;
      const options = { timeout: COMMAND_TIMEOUT_MS, env: ENVIRONMENT };
      const child = execFile(program, [...args, 'sh', '-e'], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(stderr.trim() || error.message));
      });
      child.stdin?.end(script);
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }
}

/**
 * Labs need root. Somebody else can be root in a user namespace of his own, if the machine allows that: the command
 * that makes him so; null if he is root, or cannot be.
 */
export function rootWrapper(): Promise<readonly [string, ...string[]] | null> {
  if (process.getuid?.() === 0 || !existsSync('/proc/self/ns/user')) return Promise.resolve(null);
  const wrapper = ['unshare', '--user', '--map-root-user'] as const;
  const [program, ...args] = wrapper;
  return new Promise((resolve) => {
    execFile(program, [...args, 'true'], (error) => resolve(error === null ? [...wrapper] : null));
  });
}
