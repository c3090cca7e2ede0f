import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Faults } from '../../../src/compat/replay/faulty-world.ts';
import { replayCapture } from '../../../src/compat/replay/replay-capture.ts';
import type { CaptureResult } from '../../../src/compat/replay/result.ts';

export const FIXTURES = fileURLToPath(new URL('../../../compat-fixtures/', import.meta.url));

/** Files of all captures below a folder. */
export function capturesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /^capture\.pcap(ng)?$/.test(basename(file)))
    .map((file) => join(folder, file))
    .sort();
}

export function truthBeside(file: string): string | null {
  const path = join(dirname(file), 'truth.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

export function replayFile(file: string, faults: Faults | null = null): Promise<CaptureResult> {
  return replayBytes(readFileSync(file), truthBeside(file), faults);
}

/** In pieces, as a file is read. */
export function replayBytes(
  bytes: Buffer,
  truth: string | null,
  faults: Faults | null = null,
): Promise<CaptureResult> {
  const open = async function* (): AsyncIterable<Buffer> {
    await Promise.resolve();
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  };
  return replayCapture({ name: 'test', open, truth }, faults);
}

export interface TruthEvent {
  t: number;
  ev: string;
  peer: string;
  [field: string]: unknown;
}

export function eventsOf(truth: string): TruthEvent[] {
  const lines = truth.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as TruthEvent);
}

/** A truth with some of its lines changed, left out or repeated. */
export function editTruth(truth: string, edit: (event: TruthEvent) => readonly TruthEvent[]): string {
  return eventsOf(truth)
    .flatMap(edit)
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}
