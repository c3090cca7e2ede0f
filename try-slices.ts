import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { replayCapture } from './src/compat/replay/replay-capture.ts';
import { seededRng, below } from './src/protocol/rng.ts';
let runs = 0, bad = 0; const rng = seededRng(Number(process.argv[2] ?? 1));
for (const root of ['/work/shared/captures', '/work/wt-record/compat-fixtures/3.6.14']) for (const name of readdirSync(root)) {
  const f = `${root}/${name}/capture.pcap`; if (!existsSync(f)) continue;
  const b = readFileSync(f); const le = b.readUInt32LE(0) === 0xa1b2c3d4 || b.readUInt32LE(0) === 0xa1b23c4d;
  const recs: Buffer[] = []; for (let at = 24; at + 16 <= b.length;) { const n = le ? b.readUInt32LE(at + 8) : b.readUInt32BE(at + 8); recs.push(b.subarray(at, at + 16 + n)); at += 16 + n; }
  for (let i = 0; i < 30; i++) {
    const from = below(rng, recs.length), to = from + 1 + below(rng, recs.length - from), loss = i % 3 === 0 ? 0.05 : 0;
    const part = Buffer.concat([b.subarray(0, 24), ...recs.slice(from, to).filter(() => rng.next() >= loss)]);
    for (const faults of [null, { loss: 0.1, duplicate: 0.05, reorder: 0.1, seed: i }]) {
    const r = await replayCapture({ name, truth: null, async *open() { yield part; } }, faults);
    runs++;
    if (!r.ok && r.datagrams > 0) { bad++; console.log(name, from, to, loss, faults !== null, r.reason, r.problems.slice(0, 4)); }
    }
  }
}
console.log(runs, bad);
