import type { BenchProcess } from '../harness/bench-process.ts';
import { startJvm } from '../harness/java.ts';
import { startNode } from '../harness/node.ts';

export type Kind = 'own' | 'jvm' | 'raw';

export interface ProcessOptions {
  /** SO_RCVBUF that is asked for. */
  readonly receiveBufferBytes: number;
  /** Of `startNode`. */
  readonly isHeapDefault?: boolean;
}

/** Everything that is the same for all processes of a run. */
export interface Programs {
  /** Options of our messengers that differ from the product's. */
  readonly ownOptions: Readonly<Record<string, unknown>>;
  /** More flags for node, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
}

let started = 0;

export function startProcess(kind: Kind, options: ProcessOptions, programs: Programs): Promise<BenchProcess> {
  const uuid = `uuid=${(++started).toString(16).padStart(32, '0')}`;
  const name = `${kind} member ${started}`;
  const { receiveBufferBytes, isHeapDefault = false } = options;
  const node = { nodeFlags: programs.nodeFlags, isHeapDefault };
  switch (kind) {
    case 'own': {
      const own = JSON.stringify({ udpReceiveBufferBytes: receiveBufferBytes, ...programs.ownOptions });
      return startNode(name, 'udp/own-worker', [uuid, `options=${own}`], node);
    }
    case 'raw':
      return startNode(name, 'udp/raw-worker', [uuid, `receiveBufferBytes=${receiveBufferBytes}`], node);
    case 'jvm':
      return startJvm(name, [
        uuid,
        `UDP_RECV_BUFFER_SIZE=${receiveBufferBytes}`,
        'UDP_SEND_BUFFER_SIZE=1048576',
      ]);
  }
}
