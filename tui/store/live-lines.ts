import type { UiClock } from '../clock.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Backend } from './backend.ts';
import type { Contributions } from './contributions.ts';
import { NO_TRAFFIC, addFrame, readFrame, readLogLine } from './lines.ts';
import type { FrameLine, LogLine, Traffic } from './lines.ts';
import { numberOr, record } from './post.ts';
import type { Row } from './rows.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';
import { tell } from './words.ts';

/** Lines kept of the log, the traffic and the activity each; older ones are dropped. */
export const LINES_MAX = 500;

/** All lists have the newest first. */
export interface LiveLinesState {
  readonly activity: readonly Row[];
  readonly log: readonly LogLine[];
  readonly frames: readonly FrameLine[];
  /** Since the trace was first asked for. */
  readonly traffic: Traffic;
  readonly paused: boolean;
}

/** What happens in the node, as it comes: activity, frames and log lines. They reach the screen once a redraw. */
export class LiveLines {
  readonly state: Store<LiveLinesState>;
  /** Runs when rows have come at the top of the activity. */
  onActivity: (rows: readonly Row[]) => void = () => {};
  #backend: Backend;
  #contributions: Contributions;
  #clock: UiClock;
  #pace: RedrawPace;
  #stopTrace: (() => void) | undefined;
  #traffic: Traffic = NO_TRAFFIC;
  #newLog: readonly LogLine[] = [];
  #newFrames: readonly FrameLine[] = [];
  #newActivity: readonly Row[] = [];

  constructor(backend: Backend, contributions: Contributions, clock: UiClock, pace: RedrawPace) {
    this.#backend = backend;
    this.#contributions = contributions;
    this.#clock = clock;
    this.#pace = pace;
    const none = { activity: [], log: [], frames: [], traffic: NO_TRAFFIC, paused: false };
    this.state = createStore<LiveLinesState>(none, pace);
  }

  /** Starts to count traffic; every frame costs an event, so it waits until somebody looks. */
  trace(): void {
    this.#stopTrace ??= this.#backend.watch('trace', {}, (event) => this.#traced(record(event)));
  }

  /** An event of the bus. */
  happened(topic: string, atMs: unknown, event: unknown): void {
    for (const { tag, lines } of this.#contributions.activity(topic)) {
      const told = tell(lines, event);
      if (told === undefined) continue;
      const row = { ...told, atMs: numberOr(atMs, this.#clock.now()), tag: safeLine(tag, 9) };
      this.#newActivity = push(row, this.#newActivity);
      this.#pace.request(this.#show);
    }
  }

  logged(event: unknown): void {
    this.#newLog = push(readLogLine(record(event), this.#clock.now()), this.#newLog);
    this.#pace.request(this.#show);
  }

  togglePause(): void {
    this.state.set({ paused: !this.state.get().paused });
  }

  #traced(frame: Record<string, unknown>): void {
    const line = readFrame(frame, this.#clock.now());
    this.#traffic = addFrame(this.#traffic, line);
    this.#newFrames = push(line, this.#newFrames);
    this.#pace.request(this.#show);
  }

  /** A busy node moves thousands of frames a second. */
  #show = (): void => {
    const { paused, log, frames, activity } = this.state.get();
    this.state.set({ traffic: this.#traffic });
    if (paused) return;
    const fresh = this.#newActivity;
    if (this.#newLog.length > 0) this.state.set({ log: [...this.#newLog, ...log].slice(0, LINES_MAX) });
    if (this.#newFrames.length > 0) this.state.set({ frames: [...this.#newFrames, ...frames].slice(0, LINES_MAX) });
    if (fresh.length > 0) this.state.set({ activity: [...fresh, ...activity].slice(0, LINES_MAX) });
    this.#newLog = [];
    this.#newFrames = [];
    this.#newActivity = [];
    if (fresh.length > 0) this.onActivity(fresh);
  };
}

/** Puts the newest first. */
function push<T>(line: T, lines: readonly T[]): readonly T[] {
  return [line, ...lines.slice(0, LINES_MAX - 1)];
}
