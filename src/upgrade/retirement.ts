import type { StackState } from '../protocol/messenger.ts';

/** What the legacy stack's state depends on. */
export interface RetirementInput {
  /** The view holds a member that is reached by the legacy stack; true also before the first view. */
  readonly needed: boolean;
  /** Messages that the legacy stack accepted and that have no outcome. */
  readonly pending: number;
}

/**
 * The legacy stack's next state. It goes to sleep once nobody needs it and everything has an outcome, and wakes up
 * when an old member shows up again, which is the way back of an upgrade.
 */
export function nextState(state: StackState, { needed, pending }: RetirementInput): StackState {
  switch (state) {
    case 'active':
    case 'draining':
    case 'dormant':
      if (needed) return 'active';
      return pending === 0 ? 'dormant' : 'draining';
    case 'closed':
      return 'closed';
  }
}
