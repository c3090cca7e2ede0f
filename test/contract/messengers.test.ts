import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';
import { DelegatingMessenger } from '../../src/upgrade/delegating-messenger.ts';
import { messengerContract } from './messenger-contract.ts';

const OLD = 150;
const NEW = 200;

for (const [name, Subject, kind, version, stack] of [
  ['JGroupsMessenger', JGroupsMessenger, 'old', OLD, 'udp'],
  ['TcpMessenger', TcpMessenger, 'new', NEW, 'tcp'],
  ['DelegatingMessenger among old members', DelegatingMessenger, 'old', OLD, 'udp'],
  ['DelegatingMessenger among new members', DelegatingMessenger, 'new', NEW, 'tcp'],
] as const) {
  messengerContract({
    name,
    create: (environment, { host, ports, name: memberName, version: ordinal, ...options }) =>
      new Subject({
        environment,
        cluster: 'AG',
        host,
        ports,
        member: { name: memberName, version: ordinal },
        ...options,
      }),
    kind,
    version,
    stack,
  });
}
