import { CodecError } from '../../codecs/bytes/errors.ts';
import { carriesPayload } from '../../codecs/geode/index.ts';
import type { Message } from '../../codecs/jgroups/message.ts';
import { decodeAnyDatagram, wireVersion } from '../../codecs/jgroups/registry.ts';
import type { AnyDatagram, AnyHeader, AnyMessage } from '../../codecs/jgroups/registry.ts';
import { formatVersion, isReleased, majorMinor, VERSION_3_6_14 } from '../../codecs/jgroups/version.ts';
import { DecodedMessage } from './decoded-message.ts';
import type { Origin } from './decoded-message.ts';
import type { CaptureRecord, ErrorRecord } from './record.ts';
import type { RecordValues } from './record-values.ts';

const OPAQUE = { unknownHeaders: 'opaque' } as const;

const MAX_DATAGRAM_FLAGS = 7;

/** Appends a record for each message of a datagram of JGroups, or one that says what is wrong with it. */
export function appendDatagram(
  bytes: Uint8Array,
  origin: Origin,
  values: RecordValues,
  out: CaptureRecord[],
): void {
  let datagram: AnyDatagram;
  try {
    datagram = decodeAnyDatagram(bytes, OPAQUE);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    out.push(errorRecord(origin, error));
    return;
  }
  const { version } = datagram;
  if (datagram.kind === 'single') {
    out.push(messageRecord(datagram.message, null, version, origin, values));
    return;
  }
  for (const message of datagram.messages) {
    out.push(messageRecord(message, datagram, version, origin, values));
  }
}

function messageRecord(
  message: AnyMessage,
  bundle: Pick<Extract<AnyDatagram, { kind: 'bundle' }>, 'dest' | 'src' | 'cluster'> | null,
  version: number,
  origin: Origin,
  values: RecordValues,
): DecodedMessage {
  const content = {
    version: values.version(version),
    cluster: bundle?.cluster ?? clusterOf(message.headers),
    dest: values.address(message.dest ?? bundle?.dest ?? null),
    src: values.address(message.src ?? bundle?.src ?? null),
    flags: values.flags(message.flags),
    headers: values.headers(message.headers),
    payload: message.payload,
    geode: is36(version) && carriesPayload(message as Message) ? values.geode : null,
  };
  return new DecodedMessage(origin, content, version, message);
}

/** Geode has never been on another. */
function is36(version: number): boolean {
  return majorMinor(version) === majorMinor(VERSION_3_6_14);
}

function clusterOf(headers: readonly AnyHeader[]): string | null {
  for (const header of headers) if (header.protocol === 'TP') return header.cluster;
  return null;
}

/** @param offset what to add to the error's own offset */
export function errorRecord(origin: Origin, error: CodecError, offset = 0): ErrorRecord {
  const { n, sec, nsec, transport, from, to } = origin;
  const what = { code: error.code, offset: offset + error.offset, field: error.field };
  return { kind: 'error', n, ts: sec + nsec / 1e9, sec, nsec, transport, from, to, error: what };
}

/**
 * What a datagram's first bytes say: JGroups of a version that can be read (`known`) or of one that cannot
 * (`foreign-version`), or something else.
 */
export function looksLikeDatagram(bytes: Uint8Array): 'known' | 'foreign-version' | 'no' {
  if (bytes.length < 2) return 'no';
  const version = ((bytes[0] as number) << 8) | (bytes[1] as number);
  if (wireVersion(version) !== undefined) return 'known';
  if (!isReleased(version)) return 'no';
  // Other protocols begin with a number as well, which may be any; these bytes are small in every JGroups.
  const [, , flags, next] = bytes;
  return flags !== undefined && flags <= MAX_DATAGRAM_FLAGS && next !== undefined && next <= 0x10
    ? 'foreign-version'
    : 'no';
}

/** The error of a datagram, or a stream, of a JGroups that has no codec here. */
export function versionError(version: number, offset: number, field: string): CodecError {
  return new CodecError('ERR_VERSION', offset, field, `JGroups ${formatVersion(version)} is not read here`);
}
