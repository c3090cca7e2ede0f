import type { BenchProcess } from '../harness/bench-process.ts';
import { startJvm } from '../harness/java.ts';
import { startNode } from '../harness/node.ts';
import type { CertificateFiles } from './certificates.ts';
import type { Rivals } from './rivals.ts';

export type Kind = 'own' | 'jvm' | 'raw' | 'zeromq' | 'nats' | 'nats-server';

/** Everything that is the same for all processes of a run. */
export interface Programs {
  /** Options of our messengers that differ from the product's. */
  readonly ownOptions: Readonly<Record<string, unknown>>;
  /** More flags for node, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
  readonly rivals: Rivals;
}

export interface ProcessOptions {
  /** In this one process. Default 1. */
  readonly members?: number;
  /** Key, certificate and trusted certificate, as files. */
  readonly tls?: CertificateFiles;
  /** Of the carrier that the process needs. */
  readonly carrierPort?: number;
  /** Of `startNode`. */
  readonly isHeapDefault?: boolean;
}

let started = 0;

export function startProcess(kind: Kind, options: ProcessOptions, programs: Programs): Promise<BenchProcess> {
  const { members = 1, tls, carrierPort, isHeapDefault = false } = options;
  const uuid = `uuid=${(started + 1).toString(16).padStart(32, '0')}`;
  started += members;
  const name = `${kind} member ${started}`;
  const args = [uuid, `members=${members}`];
  if (tls !== undefined) args.push(`tls=${JSON.stringify(tls)}`);
  if (carrierPort !== undefined) args.push(`server=${carrierPort}`);
  const { rivals, nodeFlags, ownOptions } = programs;
  const node = { nodeFlags, isHeapDefault };
  switch (kind) {
    case 'own':
      return startNode(name, 'tcp/own-worker', [...args, `options=${JSON.stringify(ownOptions)}`], node);
    case 'raw':
      return startNode(name, 'tcp/raw-worker', args, node);
    case 'zeromq':
    case 'nats':
      return startNode(name, `tcp/${kind}-worker`, [...args, `packages=${rivals.packages ?? ''}`]);
    case 'nats-server':
      return startNode(name, 'tcp/nats-server', [`program=${rivals.natsServer ?? ''}`]);
    case 'jvm':
      return startJvm(name, [uuid, 'transport=tcp']);
  }
}
