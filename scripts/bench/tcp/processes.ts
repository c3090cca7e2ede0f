import { fileURLToPath } from 'node:url';

import { javaProgram } from '../../../src/peers/programs.ts';
import { BenchProcess } from '../harness/bench-process.ts';
import { benchClasspath } from '../harness/java.ts';
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
}

/** As PEERS section 6 has them: what its figures were measured with. */
const JVM_FLAGS = ['-Xms512m', '-Xmx1g', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true'];
/** Without log4j-core its API complains. */
const LOG_FLAG = '-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory';

let started = 0;

export function startProcess(kind: Kind, options: ProcessOptions, programs: Programs): Promise<BenchProcess> {
  const { members = 1, tls, carrierPort } = options;
  const uuid = (started + 1).toString(16).padStart(32, '0');
  started += members;
  const name = `${kind} member ${started}`;
  const args = [`uuid=${uuid}`, `members=${members}`];
  if (tls !== undefined) args.push(`tls=${JSON.stringify(tls)}`);
  if (carrierPort !== undefined) args.push(`server=${carrierPort}`);
  const { rivals, nodeFlags } = programs;
  switch (kind) {
    case 'own':
      return startNode(
        name,
        'own-worker.ts',
        [...args, `options=${JSON.stringify(programs.ownOptions)}`],
        nodeFlags,
      );
    case 'raw':
      return startNode(name, 'raw-worker.ts', args, nodeFlags);
    case 'zeromq':
    case 'nats':
      return startNode(name, `${kind}-worker.ts`, [...args, `packages=${rivals.packages ?? ''}`], []);
    case 'nats-server':
      return startNode(name, 'nats-server.ts', [`program=${rivals.natsServer ?? ''}`], []);
    case 'jvm':
      return startJvm(name, uuid);
  }
}

export function startNode(
  name: string,
  script: string,
  args: readonly string[],
  nodeFlags: readonly string[],
): Promise<BenchProcess> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return BenchProcess.start(name, process.execPath, ['--import=tsx', ...nodeFlags, path, ...args]);
}

async function startJvm(name: string, uuid: string): Promise<BenchProcess> {
  const args = [...JVM_FLAGS, LOG_FLAG, '-cp', await benchClasspath(), 'BenchPeer', `uuid=${uuid}`];
  return BenchProcess.start(name, javaProgram('java'), [...args, 'transport=tcp']);
}
