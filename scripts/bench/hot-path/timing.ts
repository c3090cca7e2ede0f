/** Processor time, not the clock's: other work on the machine does not count. */
export interface Cost {
  readonly calls: number;
  readonly nsPerCall: number;
  /** Of V8's heap and of buffers outside it, garbage included; NaN if a collection came in between. */
  readonly bytesPerCall: number;
}

/** Calls `work` for about `ms` milliseconds of processor time, after as long for warming up. */
export function measure(ms: number, work: () => void): Cost {
  const perRound = roundsFor(ms / 10, work);
  spend(ms / 2, perRound, work);
  const { calls, us } = spend(ms, perRound, work);
  return { calls, nsPerCall: (us * 1000) / calls, bytesPerCall: allocated(work) };
}

/** How many calls take about `ms` of processor time. */
function roundsFor(ms: number, work: () => void): number {
  for (let calls = 1; ; calls *= 2) {
    const start = process.cpuUsage();
    for (let i = 0; i < calls; i++) work();
    const { user, system } = process.cpuUsage(start);
    if (user + system >= ms * 1000) return calls;
  }
}

function spend(ms: number, perRound: number, work: () => void): { calls: number; us: number } {
  const start = process.cpuUsage();
  let calls = 0;
  for (;;) {
    for (let i = 0; i < perRound; i++) work();
    calls += perRound;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= ms * 1000) return { calls, us: user + system };
  }
}

/** The least of some short tries: a collection only ever makes it look smaller than 0. */
function allocated(work: () => void): number {
  const samples: number[] = [];
  for (let i = 0; i < 30; i++) {
    const before = process.memoryUsage();
    for (let call = 0; call < 100; call++) work();
    const after = process.memoryUsage();
    const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    if (bytes >= 0) samples.push(bytes / 100);
  }
  samples.sort((a, b) => a - b);
  return samples[samples.length >> 1] ?? NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}
