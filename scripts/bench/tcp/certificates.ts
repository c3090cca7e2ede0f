/** A certificate for the time of a run: both sides show it and trust it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { firstLine, run } from '../../../src/peers/programs.ts';

export interface CertificateFiles {
  readonly key: string;
  readonly cert: string;
  /** The certificate again: it signed itself. */
  readonly ca: string;
}

const TIMEOUT_MS = 30_000;

let made: Promise<CertificateFiles> | null = null;

/** Made once; gone when the process ends. @throws {Error} without openssl */
export function certificateFiles(): Promise<CertificateFiles> {
  made ??= make();
  return made;
}

async function make(): Promise<CertificateFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'rollgate-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const files = ['-keyout', key, '-out', cert];
  const args = ['req', '-x509', '-nodes', '-days', '60', '-subj', '/CN=bench', ...curve, ...files];
  const { exitCode, output } = await run('openssl', args, TIMEOUT_MS);
  if (exitCode !== 0) throw new Error(`openssl made no certificate: ${firstLine(output)}`);
  return { key, cert, ca: cert };
}
