/**
 * What Geode puts into a JGroups message (GEODE-WIRE sections 3.4 and 9):
 *
 *     ordinal   encrypted bool = 0   sender essential-id   object
 *     ordinal   encrypted bool = 1   DSFID header   requestId int
 *                                    [publicKey byte[], of a JoinRequest or FindCoordinatorRequest]   ciphertext byte[]
 *     `ping` or `pong`, in ASCII
 *
 * A payload of no bytes is ignored by Geode and is none for this codec either.
 */

import { CodecError } from '../bytes/errors.ts';
import { ByteReader } from '../bytes/reader.ts';
import type { Message } from '../jgroups/message.ts';
import { MessageDsfid } from './ids.ts';
import type { EssentialId } from './member.ts';
import { readEssentialId, writeEssentialId } from './member.ts';
import type { GeodeObject } from './messages/index.ts';
import { readObject, writeObject } from './messages/index.ts';
import { readByteArray, readDsfid, writeByteArray, writeDsfid } from './primitives.ts';
import type { ByteSink } from './sink.ts';
import { encodeBy, sizeBy } from './sink.ts';
import { ORDINAL_1_15, readOrdinal, serializationVersion, writeOrdinal } from './versions.ts';

/** A probe: of a port by a raw datagram, of a quorum or of multicast by a JGroups message. */
export type Probe = 'ping' | 'pong';

export interface ProbePayload {
  readonly kind: 'probe';
  readonly probe: Probe;
}

export interface ClearPayload {
  readonly kind: 'clear';
  /** Version ordinal of the sender's process. */
  readonly ordinal: number;
  readonly sender: EssentialId;
  readonly object: GeodeObject;
}

/** Its plaintext would be the sender's id and the object. */
export interface EncryptedPayload {
  readonly kind: 'encrypted';
  readonly ordinal: number;
  /** Class of the object inside. */
  readonly dsfid: number;
  /** 0 unless a coordinator is searched or joined. */
  readonly requestId: number;
  /** The sender's, with a JoinRequest or FindCoordinatorRequest; else null. */
  readonly publicKey: Uint8Array | null;
  readonly ciphertext: Uint8Array;
}

export type GeodePayload = ProbePayload | ClearPayload | EncryptedPayload;

const PROBE_BYTES = 4;

/** Whether these bytes, a raw datagram's or a payload's, are one of the two probes. */
export function probeOf(bytes: Uint8Array): Probe | null {
  if (bytes.length !== PROBE_BYTES) return null;
  const text = String.fromCharCode(...bytes);
  return text === 'ping' || text === 'pong' ? text : null;
}

export function encodeProbe(probe: Probe): Buffer {
  return Buffer.from(probe, 'latin1');
}

/**
 * Whether a message's payload is the application's: not a protocol's own, nor a fragment, which has to be put together
 * first. In a Geode cluster such a payload is a Geode payload.
 */
export function carriesPayload(message: Message): boolean {
  if (message.payload === null || message.payload.length === 0) return false;
  return message.headers.every((header) => {
    const { protocol, type }: { protocol: string; type?: string } = header;
    return (
      protocol === 'TP' ||
      (protocol === 'UNICAST3' && type === 'DATA') ||
      (protocol === 'NAKACK2' && type === 'MSG')
    );
  });
}

/**
 * Decodes the payload of a JGroups message. Byte fields are views of `payload`.
 * @param recipientOrdinal version of the member that it was sent to, if known: a sender goes down to it. It matters for
 *   recipients before 1.2.0 only.
 * @throws {CodecError} what is wrong, at which byte of which field
 */
export function decodePayload(payload: Uint8Array, recipientOrdinal = ORDINAL_1_15): GeodePayload {
  const probe = probeOf(payload);
  if (probe !== null) return { kind: 'probe', probe };
  const reader = new ByteReader(payload);
  const ordinal = readOrdinal(reader, 'payload.ordinal');
  const encrypted = reader.bool('payload.encrypted');
  const decoded = encrypted
    ? readEncrypted(reader, ordinal)
    : readClear(reader, ordinal, serializationVersion(ordinal, recipientOrdinal));
  reader.finish('payload');
  return decoded;
}

function readClear(reader: ByteReader, ordinal: number, version: number): ClearPayload {
  const sender = readEssentialId(reader, version, 'payload.sender');
  return { kind: 'clear', ordinal, sender, object: readObject(reader, version) };
}

function readEncrypted(reader: ByteReader, ordinal: number): EncryptedPayload {
  const at = reader.offset;
  const dsfid = readDsfid(reader, 'payload.dsfid');
  if (dsfid === null) throw new CodecError('ERR_VALUE', at, 'payload.dsfid', 'is null');
  const requestId = reader.i32('payload.requestId');
  const publicKey = hasPublicKey(dsfid) ? readKey(reader, 'payload.publicKey') : null;
  const ciphertext = readKey(reader, 'payload.ciphertext');
  return { kind: 'encrypted', ordinal, dsfid, requestId, publicKey, ciphertext };
}

function readKey(reader: ByteReader, field: string): Buffer {
  const at = reader.offset;
  const bytes = readByteArray(reader, field);
  if (bytes === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return bytes;
}

function writeKey(sink: ByteSink, key: Uint8Array | null): void {
  if (key === null) throw new CodecError('ERR_VALUE', sink.offset, 'payload.publicKey', 'is null');
  writeByteArray(sink, key, 'payload.publicKey');
}

function hasPublicKey(dsfid: number): boolean {
  return dsfid === MessageDsfid.JoinRequest || dsfid === MessageDsfid.FindCoordinatorRequest;
}

/**
 * @param recipientOrdinal version of the member that it is for: the writer goes down to it
 * @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry
 */
export function encodePayload(payload: GeodePayload, recipientOrdinal = ORDINAL_1_15): Buffer {
  return encodeBy(writePayload, payload, recipientOrdinal);
}

/** Bytes that `encodePayload` gives. */
export function payloadSize(payload: GeodePayload, recipientOrdinal = ORDINAL_1_15): number {
  return sizeBy(writePayload, payload, recipientOrdinal);
}

function writePayload(sink: ByteSink, payload: GeodePayload, recipientOrdinal: number): void {
  switch (payload.kind) {
    case 'probe':
      sink.bytes(encodeProbe(payload.probe));
      return;
    case 'clear': {
      const version = serializationVersion(payload.ordinal, recipientOrdinal);
      writeOrdinal(sink, payload.ordinal, 'payload.ordinal');
      sink.bool(false);
      writeEssentialId(sink, payload.sender, version);
      writeObject(sink, payload.object, version);
      return;
    }
    case 'encrypted':
      writeOrdinal(sink, payload.ordinal, 'payload.ordinal');
      sink.bool(true);
      writeDsfid(sink, payload.dsfid, 'payload.dsfid');
      sink.i32(payload.requestId, 'payload.requestId');
      if (hasPublicKey(payload.dsfid)) writeKey(sink, payload.publicKey);
      writeByteArray(sink, payload.ciphertext, 'payload.ciphertext');
  }
}

/**
 * Whether a payload begins as Geode's do: tells a Geode cluster's from another application's. A payload for which this
 * is true and `decodePayload` throws is a damaged one.
 */
export function looksLikePayload(payload: Uint8Array): boolean {
  if (probeOf(payload) !== null) return true;
  try {
    const reader = new ByteReader(payload);
    const ordinal = readOrdinal(reader, 'payload.ordinal');
    if (ordinal <= 0) return false;
    if (reader.bool('payload.encrypted')) return (readDsfid(reader, 'payload.dsfid') ?? 0) !== 0;
    const sender = readEssentialId(reader, serializationVersion(ordinal), 'payload.sender');
    return sender.version > 0 && sender.flags >= 0 && sender.flags <= 3 && sender.membershipPort <= 0xffff;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}
