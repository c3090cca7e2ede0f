/** Starts the server that nats needs, tells its port and process, and ends it when standard input ends. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { workerArguments } from '../harness/worker.ts';

/** Of a message: the server's default is one byte less than a mebibyte and its headers. */
const MAX_PAYLOAD_BYTES = 8_388_608;

const program = workerArguments().get('program') ?? 'nats-server';
const folder = mkdtempSync(join(tmpdir(), 'rollgate-nats-'));
const config = join(folder, 'server.conf');
writeFileSync(
  config,
  `host: 127.0.0.1\nport: -1\nmax_payload: ${MAX_PAYLOAD_BYTES}\nports_file_dir: "${folder}"\n`,
);
const server = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
// Whoever drives us ends us by SIGKILL: this shell notices by the end of its input, and clears up.
const script = 'read -r line; kill -KILL "$0"; rm -rf "$1"';
spawn('sh', ['-c', script, String(server.pid), folder], { stdio: ['pipe', 'ignore', 'ignore'] });
process.on('exit', () => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
server.on('exit', (code) => {
  process.stderr.write(`error: nats-server ended with ${code}\n`);
  process.exit(1);
});
for await (const line of createInterface({ input: server.stderr })) {
  if (line.includes('Server is ready')) break;
}
server.stderr.resume();
const port = await portOf(folder);
process.stdout.write(`${JSON.stringify({ ev: 'up', uuid: '0'.repeat(32), port, pid: server.pid })}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
process.exit(0);

/** It writes its addresses to a file when it is up. */
async function portOf(where: string): Promise<number> {
  const deadlineMs = performance.now() + 10_000;
  while (performance.now() < deadlineMs) {
    const file = readdirSync(where).find((name) => name.endsWith('.ports'));
    const text = file === undefined ? '' : readFileSync(join(where, file), 'utf8');
    const found = /nats:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (found !== undefined) return Number(found);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('nats-server did not tell its port');
}
