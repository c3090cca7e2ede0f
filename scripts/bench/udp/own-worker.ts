/** Our UDP stack as a member of a benchmark: JGroupsMessenger over node's sockets, with the product's own defaults. */

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { JGroupsMessenger, type JGroupsMessengerOptions } from '../../../src/jgroups/jgroups-messenger.ts';
import { runWorker, workerArguments } from '../harness/worker.ts';
import { Talkers } from '../own/idle-peers.ts';
import { MessengerEngine } from '../own/messenger-engine.ts';

/** Messages sent before datagrams are looked at again. */
const MESSAGES_A_TURN = 64;
const VERSION = 150;

type Options = Partial<JGroupsMessengerOptions>;

const environment = createNodeEnvironment();

class UdpEngine extends MessengerEngine {
  readonly #talkers = new Talkers(
    () =>
      new JGroupsMessenger({
        environment,
        cluster: 'AG',
        member: { version: VERSION },
        host: '127.0.0.1',
        ports: [0, 0],
        udpReceiveBufferBytes: 65_536,
        udpSendBufferBytes: 65_536,
      }),
  );

  constructor(uuid: string | undefined, options: Options) {
    const messenger = new JGroupsMessenger({
      environment,
      cluster: 'AG',
      member: { name: 'bench', version: VERSION, ...(uuid === undefined ? {} : { uuid }) },
      host: '127.0.0.1',
      ports: [0, 0],
      ...options,
    });
    super(messenger, { version: VERSION, messagesATurn: () => MESSAGES_A_TURN });
  }

  execute(words: readonly string[]): Promise<Readonly<Record<string, unknown>> | null> {
    return this.executeShared(words, 'udp', this.#talkers);
  }
}

const args = workerArguments();
await runWorker(new UdpEngine(args.get('uuid'), JSON.parse(args.get('options') ?? '{}') as Options));
