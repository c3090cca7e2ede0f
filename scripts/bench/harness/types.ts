/** What a benchmark is made of. */

/** One measurement of one side. */
export interface Sample {
  /** By name; each case says which one is its result. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly messages: number;
  /** Of all processes of the side, in user and system mode. */
  readonly cpuSeconds: number;
  /** Of all processes of the side, at the end. */
  readonly residentBytes: number;
  /** Datagrams that its sockets threw away because a buffer was full. */
  readonly drops: number;
}

/** Who does the work: `ours`, `jvm`, `raw`, or another that is shown beside them. */
export type SideName = string;

/** How much is to be done. */
export interface Effort {
  readonly runs: number;
  /** Of a case's full work. */
  readonly share: number;
  /** A side that is slow gets less to do, so that one measurement takes about this long. */
  readonly maxSeconds: number;
}

/** The same work for each side. */
export interface BenchCase {
  readonly name: string;
  readonly title: string;
  /** What `count` is in a full run. */
  readonly count: number;
  /** In the order in which they take turns. `work` does its job `count` times. */
  readonly sides: Readonly<Record<SideName, (count: number) => Promise<Sample>>>;
  /** Messages a second of a sample, to size the work of a slow side. Null: the work has a fixed size. */
  readonly pace: ((sample: Sample) => number) | null;
  /** False: there is nothing to warm up. */
  readonly warmUp?: false;
  readonly results: readonly ResultSpec[];
  /** Where it differs from the other cases. */
  readonly effort?: Partial<Effort>;
}

/** One line of the result. */
export interface ResultSpec {
  readonly name: string;
  readonly title: string;
  readonly metric: string;
  readonly unit: string;
  /** Whom ours is held against; null: the target is the figure itself. */
  readonly against: SideName | null;
  /** Null: for information. */
  readonly target: number | null;
  readonly lowerIsBetter?: boolean;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface SideResult {
  readonly samples: readonly Sample[];
  readonly spread: Readonly<Record<string, Spread>>;
  readonly cpuSecondsPerMillion: number;
  readonly residentMegabytes: number;
  /** Median of datagrams dropped in a measurement. */
  readonly drops: number;
}

export interface CaseResult {
  readonly bench: BenchCase;
  readonly sides: Readonly<Record<SideName, SideResult>>;
  /** By side: why it has no result. */
  readonly broken: Readonly<Record<SideName, string>>;
}
