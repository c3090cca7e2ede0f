import { createReadStream, type Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';

import type { CaptureSource } from '../compat/replay/replay-capture.ts';

/** What the members of a recorded capture logged. */
const TRUTH = 'truth.jsonl';

const EXTENSIONS: readonly string[] = ['.pcap', '.pcapng', '.cap'];

/** Folders in folders: deeper ones hold something else. */
const MAX_DEPTH = 8;

/**
 * The captures that a path stands for: a file; a folder with a capture and perhaps its truth.jsonl; or a folder of
 * such folders.
 * @throws the file system's error
 */
export async function captureSources(path: string): Promise<CaptureSource[]> {
  const info = await stat(path);
  if (!info.isDirectory()) return [await sourceOf(path, nameOfFile(path))];
  const files = await captureFiles(path, MAX_DEPTH);
  return Promise.all(files.map((file) => sourceOf(file, nameIn(path, file))));
}

async function captureFiles(folder: string, depth: number): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort(byName);
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 0 && !entry.name.startsWith('.') && entry.name !== 'node_modules') {
        files.push(...(await captureFiles(path, depth - 1)));
      }
    } else if (EXTENSIONS.includes(extname(entry.name))) files.push(path);
  }
  return files;
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

/** A recorded scenario goes by the name of its folder. */
function isOfScenario(file: string): boolean {
  return basename(file, extname(file)) === 'capture';
}

function nameOfFile(file: string): string {
  return isOfScenario(file) ? basename(dirname(resolve(file))) : basename(file);
}

function nameIn(folder: string, file: string): string {
  const path = relative(folder, isOfScenario(file) ? dirname(file) : file);
  return path === '' ? basename(resolve(folder)) : path.split(sep).join('/');
}

async function sourceOf(file: string, name: string): Promise<CaptureSource> {
  const truth = isOfScenario(file) ? await readIfThere(join(dirname(file), TRUTH)) : null;
  return { name, open: () => createReadStream(file), truth };
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
