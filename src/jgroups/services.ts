import type { Header } from '../../codecs/jgroups/message.ts';
import { type InMessage, type OutMessage, Protocol } from './protocol.ts';

/** The headers of protocols that this stack is made of, or that belong to an application's messages. */
const OURS: ReadonlySet<Header['protocol']> = new Set([
  'TP',
  'UNICAST3',
  'NAKACK2',
  'STABLE',
  'UFC',
  'MFC',
  'FRAG2',
]);

/**
 * The protocols that the stacks which JGroups ships have and this one has not: GMS between STABLE and flow control,
 * discovery and failure detection below. RSVP's own messages have nothing for the application either.
 */
const SERVICES: ReadonlySet<string> = new Set([
  'GMS',
  'AUTH',
  'MERGE3',
  'FD',
  'FD_ALL',
  'FD_ALL2',
  'FD_SOCK',
  'VERIFY_SUSPECT',
  'PING',
  'MPING',
  'S3_PING',
  'FILE_PING',
  'TCPPING',
  'TCPGOSSIP',
  'JDBC_PING',
  'BPING',
  'RACKSPACE_PING',
  'SWIFT_PING',
  'SHARED_LOOPBACK_PING',
  'GOOGLE_PING',
]);

/** Whether a header is of one of them. */
export function isService(protocol: string): boolean {
  return SERVICES.has(protocol);
}

/** A message of a service itself; with the headers of the stack it is the application's. */
export function isServiceMessage({ headers }: { readonly headers: readonly Header[] }): boolean {
  return headers.some(({ protocol }) => SERVICES.has(protocol));
}

/** Those of a message that this stack did not put on it. */
export function foreignHeaders(headers: readonly Header[]): Header[] {
  return headers.filter(({ protocol }) => !OURS.has(protocol));
}

/**
 * Where JGroups' GMS is: above what is reliable, below flow control and fragmentation. Its messages turn off here, to
 * whoever keeps the membership; what that one sends comes in here.
 */
export class Services extends Protocol {
  readonly #handle: (message: InMessage, nowMs: number) => void;

  constructor(handle: (message: InMessage, nowMs: number) => void) {
    super();
    this.#handle = handle;
  }

  down(message: OutMessage, nowMs: number): void {
    this.below.down(message, nowMs);
  }

  up(message: InMessage, nowMs: number): void {
    if (isServiceMessage(message)) this.#handle(message, nowMs);
    else this.above.up(message, nowMs);
  }

  installView(): void {
    // it is the one that views come from
  }
}
