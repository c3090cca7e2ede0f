/** Reads what decoded records hold as plain data. A field that is not there, or of another type, is null. */
import type { MessageRecord, RecordHeader } from '../record.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fields(of: Fields | null, name: string): Fields | null {
  const value = of?.[name];
  return isFields(value) ? value : null;
}

export function number(of: Fields | null, name: string): number | null {
  const value = of?.[name];
  return typeof value === 'number' ? value : null;
}

export function text(of: Fields | null, name: string): string | null {
  const value = of?.[name];
  return typeof value === 'string' ? value : null;
}

export function list(of: Fields | null, name: string): readonly unknown[] {
  const value = of?.[name];
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function header(message: MessageRecord, ...protocols: readonly string[]): RecordHeader | null {
  for (const candidate of message.headers) if (protocols.includes(candidate.protocol)) return candidate;
  return null;
}
