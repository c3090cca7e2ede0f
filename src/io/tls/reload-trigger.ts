import { type Stats, unwatchFile, watchFile } from 'node:fs';

import type { Logger } from '../../protocol/logger.ts';
import { DEFAULT_POLL_INTERVAL_MS, filesOf } from '../../security/options.ts';
import type { TlsContext } from './context.ts';

/** Files are changed one after the other: what was begun is given so long to be finished. */
const SETTLE_MS = 300;

/** All messengers of the process share one listener: node warns of more than ten. */
const onSighup = new Set<() => void>();
const handleSighup = (): void => {
  for (const reload of onSighup) reload();
};

/**
 * Says when certificates are to be read anew: on SIGHUP, and when a file has changed. Files are looked at from time to
 * time, not watched: that also sees a symbolic link that points elsewhere, as Kubernetes replaces secrets, and works
 * on network file systems.
 */
export class ReloadTrigger {
  readonly #tls: TlsContext;
  readonly #logger: Logger;
  readonly #sighup = (): void => void this.#tls.reload('SIGHUP');
  readonly #changed = new Set<string>();
  readonly #listeners = new Map<string, (now: Stats, before: Stats) => void>();
  #settling: NodeJS.Timeout | null = null;

  constructor(tls: TlsContext, logger: Logger) {
    this.#tls = tls;
    this.#logger = logger;
    const { reload } = tls.options;
    if (reload?.onSighup !== false) this.#listen();
    const interval = reload?.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    if (interval === 0) return;
    for (const file of filesOf(tls.options)) {
      const listener = (now: Stats, before: Stats): void => this.#handleChange(file, now, before);
      this.#listeners.set(file, listener);
      watchFile(file, { interval, persistent: false }, listener);
    }
  }

  close(): void {
    if (onSighup.delete(this.#sighup) && onSighup.size === 0) process.off('SIGHUP', handleSighup);
    for (const [file, listener] of this.#listeners) unwatchFile(file, listener);
    this.#listeners.clear();
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = null;
  }

  #listen(): void {
    if (onSighup.size === 0) process.on('SIGHUP', handleSighup);
    onSighup.add(this.#sighup);
  }

  #handleChange(file: string, now: Stats, before: Stats): void {
    const isSame = now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size;
    if (isSame) return;
    if (now.nlink === 0) {
      this.#logger.warn(`TLS: ${file} is gone; what was read of it stays in use`);
      return;
    }
    this.#changed.add(file);
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#handleSettled(), SETTLE_MS);
    this.#settling.unref();
  }

  #handleSettled(): void {
    this.#settling = null;
    const files = [...this.#changed].join(', ');
    this.#changed.clear();
    this.#tls.reload(`changed: ${files}`);
  }
}
