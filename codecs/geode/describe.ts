/**
 * What was decoded, as plain objects for a line of JSON. Fields have the names of GEODE-WIRE, bytes are hex, and what
 * is secret shows as `***` unless it is asked for: credentials travel in clear and a capture is shown to others.
 */

import type { Credentials } from './credentials.ts';
import type { LocatorObject } from './locator.ts';
import { dsfidName } from './messages/index.ts';
import type { GeodePayload } from './payload.ts';
import type { StreamMessage } from './stream.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = Readonly<Record<string, Json>>;

export interface DescribeOptions {
  /** True: show the values of credentials, and cluster keys. */
  readonly secrets?: boolean;
}

/**
 * `{ probe }`, or `{ class, ordinal, encrypted, sender, fields }`, or, encrypted,
 * `{ class, ordinal, encrypted, requestId, publicKey, length }`.
 * The class is a message's name, or `DSFID n`; an opaque object has no fields but a `length`, its header included.
 */
export function describePayload(payload: GeodePayload, options: DescribeOptions = {}): JsonObject {
  switch (payload.kind) {
    case 'probe':
      return { probe: payload.probe };
    case 'clear': {
      const { ordinal, sender, object } = payload;
      return { ...describeObject(object, options), ordinal, encrypted: false, sender: json(sender, options) };
    }
    case 'encrypted': {
      const { dsfid, ordinal, requestId, publicKey, ciphertext } = payload;
      return {
        class: dsfidName(dsfid),
        ...{ ordinal, encrypted: true, requestId, publicKey: json(publicKey, options) },
        length: ciphertext.length,
      };
    }
  }
}

/** `{ kind, type }` and what the message has; a locator's `class` and `fields` as in `describePayload`. */
export function describeStreamMessage(message: StreamMessage, options: DescribeOptions = {}): JsonObject {
  const { type } = message;
  switch (type) {
    case 'locator-request': {
      const { gossipVersion, ordinal, object } = message;
      return {
        ...{ kind: 'locator', type: 'request', gossipVersion, ordinal },
        ...describeObject(object, options),
      };
    }
    case 'locator-response':
      return { kind: 'locator', type: 'response', ...describeObject(message.object, options) };
    case 'locator-refusal':
      return { kind: 'locator', type: 'refusal' };
    case 'failure-detection-request': {
      const { ordinal, vmViewId, uuid } = message;
      return { kind: 'failure-detection', type: 'request', ordinal, vmViewId, uuid };
    }
    case 'failure-detection-response':
      return { kind: 'failure-detection', type: 'response', ok: message.ok };
  }
}

function describeObject(object: LocatorObject, options: DescribeOptions): Record<string, Json> {
  if (object.type === 'opaque') return { class: object.class, length: object.bytes.length };
  const { type, ...fields } = object;
  return { class: type, fields: json(fields, options) };
}

const HIDDEN = '***';

function json(value: unknown, options: DescribeOptions): Json {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map((item) => json(item, options));
  if (value === null || typeof value !== 'object') return value as Json;
  const described: Record<string, Json> = {};
  for (const [name, field] of Object.entries(value)) {
    if (name === 'credentials') described[name] = describeCredentials(field as Credentials | null, options);
    else if (name === 'clusterSecretKey' && field !== null && options.secrets !== true)
      described[name] = HIDDEN;
    else described[name] = json(field, options);
  }
  return described;
}

function describeCredentials(credentials: Credentials | null, options: DescribeOptions): Json {
  if (credentials === null) return null;
  if (credentials.kind === 'opaque') {
    return options.secrets === true ? hex(credentials.bytes) : { length: credentials.bytes.length };
  }
  return Object.fromEntries(
    credentials.entries.map(([key, value]) => [
      key instanceof Uint8Array ? hex(key) : (key ?? 'null'),
      options.secrets === true ? json(value, options) : HIDDEN,
    ]),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
