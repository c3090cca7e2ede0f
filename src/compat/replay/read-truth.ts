import { geodeEvents } from './truth-geode.ts';
import { jgroupsEvents } from './truth-jgroups.ts';
import { type Truth, TruthError, type TruthLine } from './truth.ts';

/** @throws {TruthError} for a line that is no JSON object with a time; one that was cut off at the end is left out */
export function parseTruth(text: string): Truth {
  const lines = parseLines(text);
  return lines.some((line) => 'peer' in line) ? jgroupsEvents(lines) : geodeEvents(lines);
}

function parseLines(text: string): TruthLine[] {
  const lines: TruthLine[] = [];
  const rows = text.split('\n');
  rows.forEach((row, i) => {
    if (row.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(row);
    } catch {
      if (i === rows.length - 1) return; // its writer was killed
      throw new TruthError(i + 1, 'this is no JSON');
    }
    if (!isLine(value)) throw new TruthError(i + 1, 'no object with a time t');
    lines.push(value);
  });
  return lines.sort((a, b) => a.t - b.t);
}

function isLine(value: unknown): value is TruthLine {
  return typeof value === 'object' && value !== null && 't' in value && typeof value.t === 'number';
}
