import { createHash } from 'node:crypto';

/** First 8 bytes of a SHA-1 in hex, as peers log it of payloads and datagrams; '' of nothing. */
export function fingerprint(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : createHash('sha1').update(bytes).digest('hex').slice(0, 16);
}

/** What tells one message of a sender from another. */
export function messageId(length: number, sha: string): string {
  return `${length}:${length === 0 ? '' : sha.slice(0, 16)}`;
}

export function idOf(payload: Uint8Array): string {
  return messageId(payload.length, fingerprint(payload));
}

/** The payload that recording peers make of a label: the label as an int, then bytes that count up from it. */
export function labelledPayload(label: number, length: number): Buffer {
  const payload = Buffer.allocUnsafe(length);
  for (let k = 0; k < length; k++) payload[k] = label + k;
  const head = Buffer.allocUnsafe(4);
  head.writeInt32BE(label | 0);
  head.copy(payload, 0, 0, Math.min(4, length));
  return payload;
}
