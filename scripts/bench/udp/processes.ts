import { fileURLToPath } from 'node:url';

import { javaProgram } from '../../../src/peers/programs.ts';
import { BenchProcess } from '../harness/bench-process.ts';
import { benchClasspath } from '../harness/java.ts';

export type Kind = 'own' | 'jvm' | 'raw';

export interface ProcessOptions {
  /** SO_RCVBUF that is asked for. */
  readonly receiveBufferBytes: number;
}

/** Everything that is the same for all processes of a run. */
export interface Programs {
  /** Options of our messengers that differ from the product's. */
  readonly ownOptions: Readonly<Record<string, unknown>>;
  /** More flags for node, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
}

/** As PEERS section 6 has them: what its figures were measured with. */
const JVM_FLAGS = ['-Xms512m', '-Xmx1g', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true'];
/** Without log4j-core its API complains. */
const LOG_FLAG = '-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory';

let started = 0;

export function startProcess(kind: Kind, options: ProcessOptions, programs: Programs): Promise<BenchProcess> {
  const uuid = (++started).toString(16).padStart(32, '0');
  const name = `${kind} member ${started}`;
  switch (kind) {
    case 'own': {
      const own = { udpReceiveBufferBytes: options.receiveBufferBytes, ...programs.ownOptions };
      return startNode(name, 'own-worker.ts', [`uuid=${uuid}`, `options=${JSON.stringify(own)}`], programs);
    }
    case 'raw': {
      const buffer = `receiveBufferBytes=${options.receiveBufferBytes}`;
      return startNode(name, 'raw-worker.ts', [`uuid=${uuid}`, buffer], programs);
    }
    case 'jvm':
      return startJvm(name, uuid, options);
  }
}

export function startNode(
  name: string,
  script: string,
  args: readonly string[],
  { nodeFlags }: Pick<Programs, 'nodeFlags'>,
): Promise<BenchProcess> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return BenchProcess.start(name, process.execPath, ['--import=tsx', ...nodeFlags, path, ...args]);
}

async function startJvm(
  name: string,
  uuid: string,
  { receiveBufferBytes }: ProcessOptions,
): Promise<BenchProcess> {
  const sizes = [`UDP_RECV_BUFFER_SIZE=${receiveBufferBytes}`, 'UDP_SEND_BUFFER_SIZE=1048576'];
  const args = [...JVM_FLAGS, LOG_FLAG, '-cp', await benchClasspath(), 'BenchPeer', `uuid=${uuid}`, ...sizes];
  return BenchProcess.start(name, javaProgram('java'), args);
}
