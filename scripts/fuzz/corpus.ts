import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { CaptureReader } from '../../codecs/pcap/index.ts';

/** Real datagrams to start from: those of all captures below a folder. */
export function captureDatagrams(folder: string): Uint8Array[] {
  return captureFiles(folder).flatMap((file) => {
    const reader = new CaptureReader();
    const items = [...reader.push(readFileSync(file)), ...reader.end()];
    return items.flatMap((item) => (item.kind === 'udp' ? [item.payload] : []));
  });
}

export function captureFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return captureFiles(path);
    return /\.pcap(ng)?$/.test(name) ? [path] : [];
  });
}
