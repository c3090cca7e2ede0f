import { join } from 'node:path';

import { prepareProgram, type RecordingProgram } from './programs.ts';
import { type Recording, recordScenario } from './recorder.ts';
import { plan, type PlannedRecording, versionsOf } from './scenarios.ts';
import type { PeerVersion } from './script.ts';
import { CaptureError } from './tcpdump.ts';

export interface RecordOptions {
  /** Default: all. */
  readonly versions?: readonly PeerVersion[];
  /** Names of scenarios. Default: all of these peers. */
  readonly scenarios?: readonly string[];
  /** Gets `<peer version>/<scenario>/`. */
  readonly folder: string;
}

/** Told while it runs. */
export interface RecordEvents {
  readonly note: (text: string) => void;
  readonly started: (name: string) => void;
  readonly recorded: (name: string, recording: Recording) => void;
  /** The others are still recorded. */
  readonly failed: (name: string, error: Error) => void;
}

/**
 * Starts real peers and records what they say, scenario by scenario.
 * @throws {JavaMissingError} if a peer cannot be had
 * @throws {CaptureError} if nothing can be captured
 */
export async function record(
  options: RecordOptions,
  events: RecordEvents,
  signal: AbortSignal,
): Promise<void> {
  const planned = plan(options.versions, options.scenarios);
  const programs = await prepare(planned, events);
  for (const { version, scenario, firstPort } of planned) {
    if (signal.aborted) return;
    const name = `${version}/${scenario.name}`;
    const folder = join(options.folder, version, scenario.name);
    events.started(name);
    try {
      const text = scenario.script(version, firstPort);
      events.recorded(name, await recordScenario(text, firstPort, programs, folder, signal));
    } catch (error) {
      if (!(error instanceof Error) || error instanceof CaptureError) throw error;
      events.failed(name, error);
    }
  }
}

async function prepare(
  planned: readonly PlannedRecording[],
  events: RecordEvents,
): Promise<Map<PeerVersion, RecordingProgram>> {
  const programs = new Map<PeerVersion, RecordingProgram>();
  for (const version of new Set(planned.flatMap(versionsOf))) {
    events.note(`preparing JGroups ${version}`);
    programs.set(version, await prepareProgram(version));
  }
  return programs;
}
