import type { Digest } from '../../codecs/jgroups/message.ts';
import type { DigestEntry } from '../../src/jgroups/digest.ts';
import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import { MFC } from '../../src/jgroups/mfc.ts';
import { MemberWindow } from '../../src/jgroups/nakack2-member.ts';
import { NAKACK2 } from '../../src/jgroups/nakack2.ts';
import { type GroupView, headerOf, type InMessage } from '../../src/jgroups/protocol.ts';
import { STABLE } from '../../src/jgroups/stable.ts';
import { JGroupsStack } from '../../src/jgroups/stack.ts';
import { type Method, patch } from './patch.ts';

function eachSeqno(digest: Digest | null, change: (seqno: number) => number): Digest | null {
  if (digest === null) return null;
  const seqnos = digest.seqnos.map(({ highestDelivered, highestReceived }) => {
    const delivered = change(highestDelivered);
    return { highestDelivered: delivered, highestReceived: Math.max(delivered, highestReceived) };
  });
  return { ...digest, seqnos };
}

function changedDigest(change: (seqno: number) => number): () => () => void {
  return () =>
    patch(JGroupsStack.prototype, 'digestForJoiner', (original) => {
      return function (...args) {
        return eachSeqno(original.apply(this, args) as Digest | null, change);
      };
    });
}

/** Drops group protocol messages before NAKACK2 sees them. */
function deafTo(type: 'HIGHEST_SEQNO' | 'XMIT_REQ'): () => () => void {
  return () =>
    patch(NAKACK2.prototype, 'up', (original) => {
      return function (...args) {
        if (headerOf(args[0] as InMessage, 'NAKACK2')?.type !== type) original.apply(this, args);
      };
    });
}

function stableTooEarly(): () => void {
  return patch(NAKACK2.prototype, 'stable', (original) => {
    return function (entries, nowMs) {
      const early = (entries as DigestEntry[]).map((entry) => {
        return { ...entry, pair: { ...entry.pair, highestDelivered: entry.pair.highestDelivered + 1 } };
      });
      return original.call(this, early, nowMs);
    };
  });
}

/** Who has told in one view counts in the next one. */
function votesAcrossViews(): () => void {
  const views = new WeakMap<object, GroupView>();
  const takeBack = patch(STABLE.prototype, 'installView', (original) => {
    return function (view) {
      views.set(this, view as GroupView);
      return original.call(this, view);
    };
  });
  const takeBackToo = patch(STABLE.prototype, 'up', (original) => {
    return function (message, nowMs) {
      const { headers, ...rest } = message as InMessage;
      const viewId = views.get(this)?.viewId;
      const forged = headers.map((header) => {
        return header.protocol === 'STABLE' && viewId !== undefined ? { ...header, viewId } : header;
      });
      return original.call(this, { ...rest, headers: forged }, nowMs);
    };
  });
  return () => {
    takeBack();
    takeBackToo();
  };
}

function sendsTwice(): () => void {
  let sent = 0;
  return patch(JGroupsStack.prototype, 'sendToGroup', (original) => {
    return function (...args) {
      original.apply(this, args);
      if (++sent % 50 === 0) original.apply(this, args);
    };
  });
}

/** Now and then a message waits until the next one went. */
function swaps(): () => void {
  let sent = 0;
  const held = new WeakMap<object, unknown[]>();
  return patch(JGroupsStack.prototype, 'sendToGroup', (original) => {
    return function (...args) {
      const waiting = held.get(this);
      if (waiting === undefined && ++sent % 50 === 0) {
        held.set(this, args);
        return;
      }
      original.apply(this, args);
      if (waiting === undefined) return;
      held.delete(this);
      original.apply(this, waiting);
    };
  });
}

function skipsOne(): () => void {
  let delivered = 0;
  return patch(MemberWindow.prototype, 'next', (original) => {
    return function () {
      const message = original.call(this);
      if (message === undefined || ++delivered % 100 !== 0) return message;
      return original.call(this);
    };
  });
}

/** OOB messages come on arrival, and once more in their turn. */
function repeatsOob(): () => void {
  return patch(MemberWindow.prototype, 'add', (original) => {
    return function (seqno, message, _isOob, ...rest) {
      return original.call(this, seqno, message, false, ...rest);
    };
  });
}

/** As JGroups: without a digest a joiner waits for what nobody has any more. */
function waitsForTheFirst(): () => void {
  return patch(MemberWindow.prototype, 'takeGivenUp', () => () => 0);
}

const nothing = (): Method => () => undefined;

/** Mistakes in the handling of group messages, made in the real stack: the checker must see each of them. */
export const GROUP_DEFECTS = {
  'lets STABLE purge too early': stableTooEarly,
  'counts votes of another view': votesAcrossViews,
  'does not ask for the last seqno that it hears of': () =>
    patch(MemberWindow.prototype, 'hear', () => () => false),
  'sends nothing again': deafTo('XMIT_REQ'),
  'gives digests that are one ahead': changedDigest((seqno) => seqno + 1),
  'gives digests that are one behind': changedDigest((seqno) => Math.max(0, seqno - 1)),
  'takes no notice of a digest': () => patch(NAKACK2.prototype, 'setDigest', nothing),
  'sends a group message twice': sendsTwice,
  'swaps group messages': swaps,
  'skips a group message': skipsOne,
  'repeats OOB messages': repeatsOob,
  'does not go on behind what it gave up': waitsForTheFirst,
  'uses no credits that it gets': () => patch(MFC.prototype, 'replenish', nothing),
  'says to nobody that there is room again': () =>
    patch(JGroupsMessenger.prototype, 'installView', (original) => {
      return function (...args) {
        (this as JGroupsMessenger).setWritableHandler(() => undefined);
        return original.apply(this, args);
      };
    }),
} as const;

/** No mistake by the contract: STABLE tells the last seqno, too. */
export const HARMLESS = { 'is deaf to HIGHEST_SEQNO': deafTo('HIGHEST_SEQNO') } as const;
