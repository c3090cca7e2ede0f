import { LocalProtocolError } from './errors.ts';
import type { OutgoingMessage } from './messenger.ts';

/**
 * For callers without a type checker: a string for a payload would arrive as zeros.
 * @throws {LocalProtocolError} `ERR_MESSAGE`
 */
export function checkMessage(message: OutgoingMessage): void {
  const { payload, recipients, maxAgeMs } = message as { readonly [name in keyof OutgoingMessage]?: unknown };
  if (!(payload instanceof Uint8Array)) {
    throw new LocalProtocolError(
      'ERR_MESSAGE',
      `payload must be a Uint8Array or Buffer, not ${kindOf(payload)}`,
    );
  }
  if (maxAgeMs !== undefined && !(typeof maxAgeMs === 'number' && maxAgeMs >= 0)) {
    throw new LocalProtocolError(
      'ERR_MESSAGE',
      `maxAgeMs must be milliseconds, 0 or more, not ${typeof maxAgeMs === 'number' ? maxAgeMs : kindOf(maxAgeMs)}`,
    );
  }
  if (recipients === 'all') return;
  if (!Array.isArray(recipients)) {
    throw new LocalProtocolError(
      'ERR_MESSAGE',
      `recipients must be member ids or 'all', not ${kindOf(recipients)}`,
    );
  }
  for (const recipient of recipients as readonly unknown[]) {
    if (typeof recipient === 'object' && recipient !== null && 'uuid' in recipient) continue;
    throw new LocalProtocolError('ERR_MESSAGE', `a recipient must be a member id, not ${kindOf(recipient)}`);
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
