import type { MemberId } from '../../src/protocol/member-id.ts';
import type { StackMessenger } from '../../src/protocol/stack-messenger.ts';
import { createView } from '../../src/protocol/view.ts';

/** What a handler of stalls may do: drop the recipient, stop, or fail. */
export const STALL_REACTIONS: readonly ((a: { id: MemberId; messenger: StackMessenger }) => void)[] = [
  ({ id, messenger }) => messenger.installView(createView(2, [id])),
  ({ messenger }) => void messenger.stop(),
  () => {
    throw new Error('on purpose');
  },
];
