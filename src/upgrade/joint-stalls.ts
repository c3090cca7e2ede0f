import type { MemberId } from '../protocol/member-id.ts';
import type { StackName } from '../protocol/messenger.ts';
import type { PeerRecoveredHandler, PeerStalledHandler } from '../protocol/stalls.ts';
import type { View } from '../protocol/view.ts';

/**
 * Stalls of members, whichever stack finds them. With multicast a new member is sent to by both, and one that is stuck
 * shows on both: it is told once, and to get on when it does on both.
 */
export class JointStalls {
  /** By uuid, by which stacks. */
  readonly #stalled = new Map<string, Set<StackName>>();
  onStalled: PeerStalledHandler = () => undefined;
  onRecovered: PeerRecoveredHandler = () => undefined;

  stalled(stack: StackName, member: MemberId, reason: string): void {
    const stacks = this.#stalled.get(member.uuid);
    stacks?.add(stack);
    if (stacks !== undefined) return;
    this.#stalled.set(member.uuid, new Set([stack]));
    this.onStalled(member, reason);
  }

  recovered(stack: StackName, member: MemberId): void {
    const stacks = this.#stalled.get(member.uuid);
    if (stacks?.delete(stack) !== true || stacks.size > 0) return;
    this.#stalled.delete(member.uuid);
    this.onRecovered(member);
  }

  /** Who left is not told of any more. */
  installView(view: View): void {
    for (const uuid of this.#stalled.keys()) if (view.find(uuid) === null) this.#stalled.delete(uuid);
  }
}
