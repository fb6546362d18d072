import { Check, type CheckResult } from './checks.ts';
import type { Scene } from './measures.ts';
import { quantile } from './graph.ts';
import type { Scenario } from './scenario.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { type Deed, deedsOf } from './steps.ts';
import { type MessageTally, type TraceSink, WireLog } from './wire-log.ts';
import { World } from './world.ts';

/** What a run came to. All but the wall time and memory repeats with the seed. */
export interface Report {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number | string;
  readonly nodes: number;
  readonly virtualMs: number;
  readonly wallMs: number;
  /** Of this process: what the wall time is on a machine with nothing else to do. */
  readonly cpuMs: number;
  readonly memoryGb: number;
  readonly traceHash: string;
  readonly traceLines: number;
  readonly online: number;
  readonly partitions: number;
  readonly mesh: { readonly min: number; readonly median: number; readonly max: number };
  readonly messages: readonly ({ readonly name: string } & MessageTally)[];
  readonly refusedFrames: Readonly<Record<string, number>>;
  readonly refusedCommands: Readonly<Record<string, number>>;
  readonly checks: readonly CheckResult[];
  readonly passed: boolean;
}

/** Runs a scenario from beginning to end. */
export async function simulate(
  scenario: Scenario,
  sink?: TraceSink,
  progress: (line: string) => void = () => {},
): Promise<Report> {
  const startedMs = performance.now();
  const cpuBeforeMs = processorMs();
  const wire = new WireLog(sink);
  const world = new World(scenario, wire);
  try {
    wire.name(world.machines);
    await world.prepare();
    const checks = scenario.expect.map((expectation) => new Check(expectation, scenario));
    let taken: { atMs: number; snapshot: Snapshot } | undefined;
    const scene: Scene = {
      scenario,
      world,
      wire,
      wallMs: () => performance.now() - startedMs,
      snapshot: () => {
        if (taken?.atMs !== world.elapsedMs) taken = { atMs: world.elapsedMs, snapshot: takeSnapshot(world) };
        return taken.snapshot;
      },
    };
    const endMs = scenario.minutes * 60_000;
    for (const { atMs, run } of plan(scenario, world, checks, scene, progress)) {
      if (atMs > endMs) break;
      await world.clock.advance(Math.max(0, atMs - world.elapsedMs));
      await run();
    }
    const { meshCounts, partitions } = scene.snapshot();
    const results = checks.map((check) => check.result());
    return {
      scenario: scenario.name,
      about: scenario.about,
      seed: scenario.seed,
      nodes: scenario.nodes,
      virtualMs: world.elapsedMs,
      wallMs: scene.wallMs(),
      cpuMs: processorMs() - cpuBeforeMs,
      memoryGb: process.resourceUsage().maxRSS / 1024 / 1024,
      traceHash: wire.digest(),
      traceLines: wire.lines,
      online: world.up().length,
      partitions: partitions.length,
      mesh: { min: meshCounts[0] ?? 0, median: quantile(meshCounts, 0.5), max: meshCounts.at(-1) ?? 0 },
      messages: wire.tally().map(([name, tally]) => ({ name, ...tally })),
      refusedFrames: Object.fromEntries(wire.refused),
      refusedCommands: Object.fromEntries(world.refused),
      checks: results,
      passed: results.every(({ passed }) => passed),
    };
  } finally {
    wire.close();
    await world.close();
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const PROGRESS_MS = 60_000;

/** Everything that happens, by its time; what the scenario does comes before what looks at it. */
function plan(
  scenario: Scenario,
  world: World,
  checks: readonly Check[],
  scene: Scene,
  progress: (line: string) => void,
): Deed[] {
  const endMs = scenario.minutes * 60_000;
  const looks = new Map<number, Check[]>();
  for (const check of checks) {
    for (const atMs of check.timesMs()) looks.set(atMs, [...(looks.get(atMs) ?? []), check]);
  }
  const deeds = scenario.timeline.flatMap((step) => deedsOf(step, world));
  for (const [atMs, due] of looks) {
    deeds.push({
      atMs,
      run: () => {
        for (const check of due) check.look(scene);
      },
    });
  }
  for (let atMs = PROGRESS_MS; atMs <= endMs; atMs += PROGRESS_MS) {
    deeds.push({
      atMs,
      run: () => progress(progressLine(scene)),
    });
  }
  return [...deeds, { atMs: endMs, run() {} }].sort((a, b) => a.atMs - b.atMs);
}

function progressLine({ world, snapshot, wire, wallMs }: Scene): string {
  const { meshCounts, partitions } = snapshot();
  const rss = process.memoryUsage.rss() / 2 ** 30;
  const mesh = `${meshCounts[0] ?? 0}/${quantile(meshCounts, 0.5)}/${meshCounts.at(-1) ?? 0}`;
  return `${(world.elapsedMs / 60_000).toFixed(0)} m: ${world.up().length} on, ${partitions.length} part, mesh ${mesh}, ${wire.lines} frames, ${(wallMs() / 1_000).toFixed(1)} s, ${rss.toFixed(2)} GB`;
}
