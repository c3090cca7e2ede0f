/** The libraries that a Node user would otherwise pick, installed when the benchmark first runs. */

import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cached } from '../../../src/peers/maven.ts';
import { firstLine, run } from '../../../src/peers/programs.ts';

export interface Rivals {
  /** A folder whose node_modules has `zeromq` and `nats`; null: left out. */
  readonly packages: string | null;
  /** The server that `nats` needs; null: left out. */
  readonly natsServer: string | null;
  /** What is left out, and why. */
  readonly missing: readonly string[];
}

export const NO_RIVALS: Rivals = { packages: null, natsServer: null, missing: [] };

export const RIVAL_VERSIONS = { nats: '2.29.3', zeromq: '6.8.0' } as const;

const INSTALL_TIMEOUT_MS = 240_000;
const SERVER_TIMEOUT_MS = 60_000;

/** Does not throw: what cannot be had is left out. */
export async function prepareRivals(): Promise<Rivals> {
  const missing: string[] = [];
  const attempt = async (what: string, make: () => Promise<string>): Promise<string | null> => {
    try {
      return await make();
    } catch (error) {
      missing.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  const packages = await attempt('zeromq and nats', installPackages);
  const natsServer = packages === null ? null : await attempt('nats-server', findServer);
  return { packages, natsServer, missing };
}

/** zeromq brings its binaries along: no script of a package needs to run. */
function installPackages(): Promise<string> {
  const dependencies = RIVAL_VERSIONS;
  const name = `rivals-${Object.entries(dependencies).flat().join('-')}-node${process.versions.modules}`;
  return cached(null, name, async (folder) => {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
    const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
    const { exitCode, output } = await run('npm', args, INSTALL_TIMEOUT_MS);
    if (exitCode !== 0) throw new Error(`npm could not install them: ${firstLine(output, 'npm error')}`);
  });
}

/** The one on PATH, or the package of the Debian or Ubuntu that this is, unpacked into the cache. */
async function findServer(): Promise<string> {
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'nats-server'));
  const program = onPath.find((path) => existsSync(path));
  if (program !== undefined) return program;
  const folder = await cached(null, 'nats-server-debian', async (draft) => {
    // apt-get downloads into the folder that it runs in
    const download = `cd "$0" && apt-get download nats-server`;
    const { exitCode, output } = await run('sh', ['-c', download, draft], SERVER_TIMEOUT_MS);
    if (exitCode !== 0) throw new Error(`not on PATH, and apt-get has none: ${firstLine(output, 'E:')}`);
    const archive = (await readdir(draft)).find((file) => file.endsWith('.deb')) ?? '';
    const unpacked = await run('dpkg-deb', ['-x', join(draft, archive), draft], SERVER_TIMEOUT_MS);
    if (unpacked.exitCode !== 0) throw new Error(`dpkg-deb: ${firstLine(unpacked.output)}`);
  });
  return join(folder, 'usr/sbin/nats-server');
}

/** Of the server, such as `2.9.10`. */
export async function natsServerVersion(program: string): Promise<string> {
  const { output } = await run(program, ['--version'], SERVER_TIMEOUT_MS);
  return firstLine(output).replace(/^nats-server: v?/, '');
}
