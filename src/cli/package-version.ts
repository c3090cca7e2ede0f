import { readFileSync } from 'node:fs';

/** The version in the nearest package.json above this file: it runs from `src/` and from `dist/src/`. */
export function readPackageVersion(): string {
  for (const above of ['../../', '../../../']) {
    const version = readVersion(new URL(`${above}package.json`, import.meta.url));
    if (version !== null) return version;
  }
  return 'unknown';
}

function readVersion(url: URL): string | null {
  try {
    const { version } = JSON.parse(readFileSync(url, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}
