import { below, seededRng, type Rng } from '../../src/protocol/rng.ts';

/** What the simulator's messages carry: who sent them, and the sender's running number; the rest is filler. */
export interface PayloadHeader {
  /** The sender's index, as the checker gave it. */
  readonly sender: number;
  readonly number: number;
  readonly unreliable: boolean;
}

const HEADER_BYTES = 12;
const MAGIC = 0x5143;
const MAX_FILLER_BYTES = 160_000;

const noise = ((): Buffer => {
  const rng = seededRng(1);
  const bytes = Buffer.alloc(2 * MAX_FILLER_BYTES);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(rng.next() * 0x1_0000_0000, at);
  return bytes;
})();

/** Mostly small; some need a fragment or two, a few more than a datagram or a JGroups fragment can carry. */
export function randomPayloadSize(rng: Rng): number {
  const draw = rng.next();
  if (draw < 0.01) return HEADER_BYTES + 60_000 + below(rng, MAX_FILLER_BYTES - 60_000);
  if (draw < 0.1) return HEADER_BYTES + below(rng, 20_000);
  return HEADER_BYTES + below(rng, 1_000);
}

export function createPayload(header: PayloadHeader, size: number, rng: Rng): Buffer {
  const payload = Buffer.allocUnsafe(Math.max(size, HEADER_BYTES));
  payload.writeUInt16BE(MAGIC, 0);
  payload.writeUInt16BE(header.sender, 2);
  payload.writeUInt32BE(header.number, 4);
  payload.writeUInt32BE(header.unreliable ? 1 : 0, 8);
  const start = below(rng, MAX_FILLER_BYTES);
  payload.set(noise.subarray(start, start + payload.length - HEADER_BYTES), HEADER_BYTES);
  return payload;
}

/** @throws {Error} if these are not the bytes of a payload */
export function parsePayload(payload: Buffer): PayloadHeader {
  if (payload.length < HEADER_BYTES || payload.readUInt16BE(0) !== MAGIC) {
    throw new Error(`${payload.length} bytes that are no message of ours: ${payload.toString('hex', 0, 32)}`);
  }
  return {
    sender: payload.readUInt16BE(2),
    number: payload.readUInt32BE(4),
    unreliable: payload.readUInt32BE(8) === 1,
  };
}

export function formatPayload(payload: Buffer): string {
  const { sender, number } = parsePayload(payload);
  return `message ${number} of member ${sender} (${payload.length} bytes)`;
}
