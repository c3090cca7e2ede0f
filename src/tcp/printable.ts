/** Words of a peer for the log: without control characters, with which it could forge lines of ours. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}
