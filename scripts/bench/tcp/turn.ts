/** What a sender has before the event loop goes on, so that it also hears: the same for all that run in node. */
const TURN_BYTES = 262_144;

export function messagesATurn(sizeBytes: number): number {
  return Math.max(1, Math.floor(TURN_BYTES / sizeBytes));
}
