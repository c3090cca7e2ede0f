/** What a full run leaves in docs/ and in the README. */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

import { barChart } from './chart.ts';
import { report, resultLines, type SideLine, sideLines } from './results.ts';
import {
  markdownTable,
  RESULT_COLUMNS,
  RESULT_HEAD,
  resultCells,
  SIDE_COLUMNS,
  SIDE_HEAD,
  sideCells,
} from './tables.ts';
import type { CaseResult } from './types.ts';

export interface DocumentSpec {
  /** Of the files, and of the markers in the README. */
  readonly name: string;
  readonly title: string;
  readonly chartTitle: string;
  /** Markdown between the title and the tables: what was measured, and how. */
  readonly introduction: string;
  /** Markdown above the table of each side. */
  readonly sidesNote: string;
  /** Markdown below the tables, which somebody wrote; kept when the document is written anew. */
  readonly notesHeading: string;
}

/** @param root of the repository */
export function writeDocuments(
  root: string,
  spec: DocumentSpec,
  results: readonly CaseResult[],
  facts: Readonly<Record<string, string | number>>,
): string[] {
  const summary = report(results);
  const sides = results.flatMap(sideLines);
  const about = { ...machine(), ...facts };
  const folder = join(root, 'docs');
  const paths = ['json', 'svg', 'md'].map((ending) => join(folder, `${spec.name}.${ending}`));
  const [json = '', svg = '', md = ''] = paths;
  writeFileSync(json, `${JSON.stringify({ about, ...summary, sides: sides.map(roundedSide) })}\n`);
  writeFileSync(svg, barChart(spec.chartTitle, summary.cases));
  writeFileSync(md, page(spec, results, about, notesOf(md, spec.notesHeading)));
  const table = markdownTable(RESULT_HEAD, summary.cases.map(resultCells), RESULT_COLUMNS);
  const readme = join(root, 'README.md');
  const text = readFileSync(readme, 'utf8');
  const changed = between(text, spec.name, `\n${table}\n`);
  if (changed !== null) writeFileSync(readme, changed);
  return changed === null ? paths : [...paths, readme];
}

function machine(): Readonly<Record<string, string | number>> {
  const all = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
  };
}

function page(
  { title, introduction, sidesNote, name, chartTitle, notesHeading }: DocumentSpec,
  results: readonly CaseResult[],
  about: Readonly<Record<string, string | number>>,
  notes: string,
): string {
  const facts = Object.entries(about).map(([key, value]) => `- ${key}: ${value}`);
  return [
    `# ${title}`,
    introduction,
    `![${chartTitle}](${name}.svg)`,
    markdownTable(RESULT_HEAD, results.flatMap(resultLines).map(resultCells), RESULT_COLUMNS),
    '## Each side',
    sidesNote,
    markdownTable(SIDE_HEAD, results.flatMap(sideLines).map(sideCells), SIDE_COLUMNS),
    '## Measured on',
    facts.join('\n'),
    `${notesHeading}${notes}`,
  ].join('\n\n');
}

/** From the heading to the end of the page that is there; empty if there is none. */
function notesOf(path: string, heading: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return '\n';
  }
  const at = text.indexOf(`\n${heading}`);
  return at < 0 ? '\n' : text.slice(at + 1 + heading.length);
}

/** The text with what is between the markers replaced; null if it has no markers. */
function between(text: string, name: string, content: string): string | null {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) return null;
  return `${text.slice(0, from + begin.length)}${content}\n${text.slice(to)}`;
}

function roundedSide(line: SideLine): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(line).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'number' ? (Number.isFinite(value) ? Number(value.toPrecision(4)) : null) : value,
    ]),
  );
}
