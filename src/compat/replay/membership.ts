import { CodecError } from '../../../codecs/bytes/errors.ts';
import {
  type Address,
  addressKey,
  type DeltaView,
  type Digest,
  type MergeView,
  type Message,
  type View,
  type ViewId,
} from '../../../codecs/jgroups/message.ts';
import { decodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { type DigestEntry, digestEntries } from '../../jgroups/digest.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';

/** A view that a member installs. */
export interface InstalledView {
  readonly viewId: ViewId;
  readonly members: readonly Address[];
  /** How far the members' group messages have got; null: it is not said. */
  readonly digest: readonly DigestEntry[] | null;
  /** The digest is also for members of whom this one has less than it says. */
  readonly isMerge: boolean;
  /** Nobody said so: it is what is in the capture. Any other takes its place. */
  readonly isGuess?: boolean;
}

/**
 * What JGroups' GMS makes of the messages that one member gets (WIRE-3.6 section 11), as far as its views go: when it
 * sends what is in the capture.
 */
export class Membership {
  readonly #selfKey: string;
  readonly #install: (view: InstalledView, nowMs: number) => void;
  readonly #asked: (nowMs: number) => void;
  readonly #book: ViewBook;
  #current: InstalledView | null = null;

  /**
   * @param book what all members of a capture were told, for one of whom the capture does not show how it began
   * @param asked somebody wants to join: its coordinator takes a digest for it now
   */
  constructor(
    selfKey: string,
    book: ViewBook,
    install: (view: InstalledView, nowMs: number) => void,
    asked: (nowMs: number) => void = () => undefined,
  ) {
    this.#selfKey = selfKey;
    this.#book = book;
    this.#install = install;
    this.#asked = asked;
  }

  get current(): InstalledView | null {
    return this.#current;
  }

  /** A message that the member got, or one for the group that it sent. Anything but a message of GMS is passed over. */
  handle(message: GmsMessage, nowMs: number): void {
    const type = headerOf(message, 'GMS')?.type;
    if (type === 'JOIN_REQ' || type === 'JOIN_REQ_WITH_STATE_TRANSFER') this.#asked(nowMs);
    this.#take(message, true, nowMs);
  }

  /** A message to one member that it sent: whoever lets somebody in has the view that he lets him into. */
  handleSent(message: GmsMessage, nowMs: number): void {
    if (headerOf(message, 'GMS')?.type === 'JOIN_RSP') this.#take(message, false, nowMs);
  }

  #take(message: GmsMessage, hasDigest: boolean, nowMs: number): void {
    const view = this.resolve(message);
    if (view !== null) this.install(hasDigest ? view : { ...view, digest: null }, nowMs);
  }

  /** The view that a message tells of, if it does, and if we know the one that it may be the difference to. */
  resolve(message: GmsMessage): InstalledView | null {
    const said = announcedView(message);
    if (said === null) return null;
    const { view, digest } = said;
    const members = view.kind === 'delta' ? this.#membersAfter(view) : view.members;
    if (members === null) return null;
    this.#book.set(viewText(view.viewId), members);
    return {
      viewId: view.viewId,
      members,
      digest: entriesOf(digest, members),
      isMerge: view.kind === 'merge',
    };
  }

  /** As GMS does: not what is older than what it has, nor a view that is without it. */
  install(view: InstalledView, nowMs: number): void {
    const current = this.#current;
    const isOlder = current !== null && current.isGuess !== true && view.viewId.id <= current.viewId.id;
    if (isOlder || (view.isGuess === true && current !== null && current.isGuess !== true)) return;
    if (!view.members.some((member) => addressKey(member) === this.#selfKey)) return;
    this.#current = view;
    this.#install(view, nowMs);
  }

  /** Null: the view that it is the difference to is not the one that we have. */
  #membersAfter({ refViewId, left, joined }: DeltaView): Address[] | null {
    const before = this.#membersOf(refViewId);
    if (before === null) return null;
    const gone = new Set(left.map(addressKey));
    const stay = before.filter((member) => !gone.has(addressKey(member)));
    const known = new Set(stay.map(addressKey));
    return [...stay, ...joined.filter((member) => !known.has(addressKey(member)))];
  }

  /** A guess stands for any view, unless somebody else was told of that one. */
  #membersOf(viewId: ViewId): readonly Address[] | null {
    const current = this.#current;
    if (current === null) return null;
    if (current.isGuess === true) return this.#book.get(viewText(viewId)) ?? current.members;
    return viewText(current.viewId) === viewText(viewId) ? current.members : null;
  }
}

/** Members of views, by `viewText`. */
export type ViewBook = Map<string, readonly Address[]>;

/** Tells a view from others. */
export function viewText({ creator, id }: ViewId): string {
  return `${addressKey(creator)}|${id}`;
}

/** Null: there is none, or it does not fit the members. */
function entriesOf(digest: Digest | null, members: readonly Address[]): DigestEntry[] | null {
  if (digest === null) return null;
  try {
    return digestEntries(digest, members);
  } catch (error) {
    if (error instanceof LocalProtocolError) return null;
    throw error;
  }
}

type GmsMessage = Pick<Message, 'headers' | 'payload' | 'flags'>;

/**
 * The view that a message of GMS tells its recipients to install; null: none. Whoever coordinates a part of what merges
 * has the view at once by INSTALL_MERGE_VIEW, and sends a VIEW to its members.
 */
export function announcedView(
  message: GmsMessage,
): { readonly view: View | MergeView | DeltaView; readonly digest: Digest | null } | null {
  const type = headerOf(message, 'GMS')?.type;
  if (type !== 'VIEW' && type !== 'JOIN_RSP' && type !== 'INSTALL_MERGE_VIEW') return null;
  try {
    const content = decodePayload({ ...message, src: null, dest: null });
    const said = content?.kind === 'join-rsp' ? content.rsp : content;
    if (said === null || !('view' in said) || said.view === null) return null;
    return { view: said.view, digest: 'digest' in said ? said.digest : null };
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
