import { ReferenceMessenger } from '../sim/reference-messenger.ts';
import { messengerContract } from './messenger-contract.ts';

const newVersion = 200;

for (const [kind, version, stack] of [
  ['old', 150, 'udp'],
  ['new', 200, 'tcp'],
] as const) {
  messengerContract({
    name: `reference over ${stack}`,
    create: (environment, options) => new ReferenceMessenger(environment, { ...options, newVersion }),
    kind,
    version,
    stack,
  });
}
