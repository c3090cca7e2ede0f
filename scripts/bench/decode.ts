/**
 * `npm run bench:decode`: how fast `rollgate decode` reads a capture of 1 KiB messages, and whether its memory stays
 * flat. The capture is made on the way, so that no disk is measured.
 */

import { CaptureRecords } from '../../src/compat/capture-records.ts';
import { RecordJson } from '../../src/compat/record-json.ts';
import { refuse, scriptOptions, wholeNumber } from '../script-options.ts';
import { captureChunk, FILE_HEADER } from './decode-capture.ts';

const HELP = `npm run bench:decode -- [options]

How fast rollgate decode reads a capture of 1 KiB messages, by processor time, and whether its memory stays flat: as
records alone, and with the text that --json prints.

  --megabytes N        of each run (default 1000)
  --runs N             after one to warm up (default 5)
  --payload KIND       application, or geode for Geode's own messages (default application)
  --help               this text

It ends with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  megabytes: { type: 'string', default: '1000' },
  runs: { type: 'string', default: '5' },
  payload: { type: 'string', default: 'application' },
});
const bytesWanted = wholeNumber('megabytes', values.megabytes, 1) * 1e6;
const runs = wholeNumber('runs', values.runs, 1);
if (values.payload !== 'application' && values.payload !== 'geode')
  refuse(`--payload: '${values.payload}' is neither application nor geode`);

type Work = (records: ReturnType<CaptureRecords['push']>) => number;

const json = new RecordJson();

/** What decode does with the records of a chunk. Gives the bytes of its output. */
const works: Readonly<Record<string, Work>> = {
  'records only': () => 0,
  'records to JSON text': (records) => {
    let text = '';
    for (const record of records) text += `${json.line(record)}\n`;
    return Buffer.from(text).length;
  },
};

for (const [name, work] of Object.entries(works)) {
  const rates: number[] = [];
  let notes = '';
  for (let run = 0; run <= runs; run++) {
    const { rate, note } = decode(work);
    if (run > 0) rates.push(rate); // the first warms up
    notes = note;
  }
  rates.sort((a, b) => a - b);
  const at = (share: number): string => (rates[Math.round(share * (rates.length - 1))] ?? 0).toFixed(0);
  console.log(`${name}: ${at(0.5)} MB/s (median of ${runs}; ${at(0)} to ${at(1)}); ${notes}`);
}

/** The rate is by processor time: it does not depend on what else the machine does. */
function decode(work: Work): { rate: number; note: string } {
  const chunk = captureChunk(values.payload === 'geode');
  const capture = new CaptureRecords();
  capture.push(FILE_HEADER);
  let messages = 0;
  let written = 0;
  let peak = 0;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const early = { at: bytesWanted / 4, rss: 0 };
  let bytes = 0;
  let chunks = 0;
  while (bytes < bytesWanted) {
    const records = capture.push(chunk);
    messages += records.length;
    written += work(records);
    bytes += chunk.length;
    if (++chunks % 64 !== 0) continue; // asking takes time
    const rss = process.memoryUsage.rss();
    peak = Math.max(peak, rss);
    if (early.rss === 0 && bytes > early.at) early.rss = rss;
  }
  capture.end();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - start;
  const note =
    `${messages} messages, ${Math.round(written / 1e6)} MB written, ${(bytes / 1e3 / wallMs).toFixed(0)} MB/s by ` +
    `the clock, memory ${mega(early.rss)} MB after a quarter, ${mega(peak)} MB at most`;
  return { rate: bytes / (user + system), note };
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
