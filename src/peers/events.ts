/** The lines that a Java peer prints (src/peers/java/RollgatePeer.java). */

export interface JvmPeerDeliveries {
  readonly delivered: number;
  readonly highest: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly missing: number;
  readonly corrupt: number;
  readonly bytes: number;
}

export interface JvmPeerStats {
  /**
   * Numbered messages that the stack took, by the recipient's uuid, or `group`; messages of another stream than 0
   * stand under `<recipient>/<stream>`.
   */
  readonly sent: Readonly<Record<string, number>>;
  /** By the sender's uuid, with the stream as in `sent`. */
  readonly received: Readonly<Record<string, JvmPeerDeliveries>>;
  /** Messages in another format than the numbered one. */
  readonly raw: number;
  /** Own messages that an echoing peer sent back. */
  readonly returned: number;
  /** Event lines and echoes that were dropped because too many were waiting. */
  readonly dropped: number;
  /** Messages in UNICAST3's send windows towards other members of the view (credits are messages too). */
  readonly unacked: number;
  /** How often flow control had to ask for credits. */
  readonly creditRequests: number;
  /** Payload bytes of own group messages that are not stable yet. */
  readonly unstableBytes: number;
  /** Of our own stack, by name. Absent in JVMs. */
  readonly counters?: Readonly<Record<string, number>>;
}

export type JvmPeerEvent =
  | { readonly ev: 'up'; readonly uuid: string; readonly port: number; readonly version: string }
  | { readonly ev: 'view'; readonly id: number; readonly members: number }
  | { readonly ev: 'traffic-off' }
  | { readonly ev: 'burst-done'; readonly to: string; readonly count: number; readonly stream: number }
  | { readonly ev: 'digest'; readonly hex: string }
  | { readonly ev: 'digest-merged' }
  | { readonly ev: 'pong'; readonly text: string }
  | ({ readonly ev: 'stats'; readonly id: number } & JvmPeerStats)
  | { readonly ev: 'drained'; readonly ok: boolean }
  | {
      readonly ev: 'deliver';
      /** Uuid. */
      readonly from: string;
      readonly len: number;
      /** JGroups' flags (WIRE-3.6 section 4). Absent where the peer cannot tell. */
      readonly flags?: number;
      /** It was sent to the group. Absent where the peer cannot tell. */
      readonly group?: boolean;
      /** With the stream in it (`streamOf`). -1: corrupt. Absent: not a numbered message. */
      readonly number?: number;
      /** Of a message that is not numbered. */
      readonly sha256?: string;
      /** The beginning of a message that is not numbered, as Latin-1. */
      readonly text?: string;
    }
  | { readonly ev: 'error'; readonly command: string; readonly message: string }
  | { readonly ev: 'quit' };

type EventName = JvmPeerEvent['ev'];
export type EventOf<Name extends EventName> = Extract<JvmPeerEvent, { ev: Name }>;

const NAMES: ReadonlySet<string> = new Set<EventName>([
  'up',
  'view',
  'traffic-off',
  'burst-done',
  'digest',
  'digest-merged',
  'pong',
  'stats',
  'drained',
  'deliver',
  'error',
  'quit',
]);

/** Null for a line that is no event: the JVM itself writes on standard output when it is in trouble. */
export function parseEvent(line: string): JvmPeerEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  return isEvent(value) ? value : null;
}

/** The program is our own, of the same version: the name stands for the rest. */
function isEvent(value: unknown): value is JvmPeerEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'ev' in value &&
    typeof value.ev === 'string' &&
    NAMES.has(value.ev)
  );
}
