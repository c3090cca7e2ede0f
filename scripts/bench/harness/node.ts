import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { BenchProcess } from './bench-process.ts';

const ROOT = new URL('../../../', import.meta.url);

/**
 * As much for node as `-Xms` gives the JVMs. By default V8 allows a process that holds few objects so little garbage
 * that it collects the whole heap for every 25 MB of datagrams: half of the time with large messages.
 */
const HEAP_FLAG = '--initial-old-space-size=512';

let built: Promise<void> | null = null;

/**
 * The programs are compiled, as the product is where it is installed: tsx has a thread of its own, and code on the heap.
 * @throws {Error} with the compiler's words
 */
function build(): Promise<void> {
  built ??= (async () => {
    const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    const project = fileURLToPath(new URL('scripts/bench', ROOT));
    try {
      await promisify(execFile)(process.execPath, [compiler, '-p', project]);
    } catch (error) {
      throw new Error(
        `cannot compile ${project}: ${(error as { stdout?: string }).stdout ?? String(error)}`,
        {
          cause: error,
        },
      );
    }
  })();
  return built;
}

/**
 * @param script below scripts/bench, without its ending
 * @param isHeapDefault with as small a heap as V8 begins with: where memory is measured
 */
export async function startNode(
  name: string,
  script: string,
  args: readonly string[],
  { nodeFlags = [], isHeapDefault = false }: { nodeFlags?: readonly string[]; isHeapDefault?: boolean } = {},
): Promise<BenchProcess> {
  await build();
  const path = fileURLToPath(new URL(`build/scripts/bench/${script}.js`, ROOT));
  const heap = isHeapDefault ? [] : [HEAP_FLAG];
  return BenchProcess.start(name, process.execPath, [...heap, ...nodeFlags, path, ...args]);
}
