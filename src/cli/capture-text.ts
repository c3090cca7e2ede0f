/** Values of a capture in few words. All text in them was chosen by whoever sent it. */

/** Longer lists are counted. */
const MAX_LISTED = 4;

/** Longer text is cut. */
const MAX_TEXT = 60;

/** Without what would steer the terminal, forge a line or hide in it. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** `name value, ...` of the fields that say something. */
export function briefFields(fields: object, omitted: readonly string[] = []): string {
  const words: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (omitted.includes(name)) continue;
    if (value === true) words.push(name);
    else if (!saysNothing(value)) words.push(`${name} ${brief(value)}`);
  }
  return words.join(' ');
}

function saysNothing(value: unknown): boolean {
  return value === null || value === undefined || value === false || value === '' || isEmptyList(value);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

export function brief(value: unknown): string {
  if (typeof value === 'string') return cut(harmless(value));
  if (Array.isArray(value)) return briefList(value);
  if (typeof value === 'object' && value !== null) return briefObject(value as Record<string, unknown>);
  return String(value);
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}

function briefList(values: readonly unknown[]): string {
  return values.length > MAX_LISTED ? `(${values.length})` : `[${values.map(brief).join(', ')}]`;
}

function briefObject(value: Record<string, unknown>): string {
  const { uuid, host, port, membershipPort, name, creator, id, viewId, members } = value;
  if (membershipPort !== undefined) {
    const at = `${brief(host ?? '')}:${brief(membershipPort)}`;
    return saysNothing(name) ? at : `${brief(name)}(${at})`;
  }
  if (uuid !== undefined && port !== undefined) return briefAddress(host, port, uuid);
  if (creator !== undefined && id !== undefined) return `${brief(creator)}|${brief(id)}`;
  if (viewId !== undefined && Array.isArray(members)) return `${brief(viewId)} of ${briefList(members)}`;
  return `{${briefFields(value)}}`;
}

function briefAddress(host: unknown, port: unknown, uuid: unknown): string {
  if (typeof port === 'number') return `${typeof host === 'string' ? host : ''}:${port}`;
  return String(uuid).slice(0, 8);
}

/** Ascending numbers as ranges: `3-5,9`. */
export function briefSeqnos(seqnos: readonly number[]): string {
  const ranges: string[] = [];
  for (let i = 0; i < seqnos.length; i++) {
    const first = seqnos[i] as number;
    while (seqnos[i + 1] === (seqnos[i] as number) + 1) i++;
    const last = seqnos[i] as number;
    if (ranges.length === 2 * MAX_LISTED) return `${ranges.join(',')},... (${seqnos.length})`;
    ranges.push(first === last ? String(first) : `${first}-${last}`);
  }
  return ranges.join(',');
}
