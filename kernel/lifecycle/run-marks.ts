import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { sep } from 'node:path';
import { Type, Value } from '../sdk/typebox.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import type { Clock, TimerHandle } from '../sdk/clock.ts';
import type { Log } from '../sdk/log.ts';

/** A run that lasted this long was not ended by what was just started. */
const SETTLED_MS = 600_000;
/** Short runs in a row that ended without stopping, after which third-party plugins are left out. */
export const BROKEN_RUNS_MAX = 3;
const BEGUN_MAX = 1_024;
/** Plugins remembered as left out; the oldest are forgotten. */
const LEFT_OUT_MAX = 256;

const MarkedSchema = Type.Object({ path: Type.String(), revision: Type.String(), name: Type.Optional(Type.String()) });
const LeftOutSchema = Type.Object({ ...MarkedSchema.properties, reason: Type.String() });
const FileSchema = Type.Object({
  /** True from the first third-party plugin on until the node stops: true at a start means that it did not. */
  running: Type.Boolean(),
  starting: Type.Array(MarkedSchema),
  live: Type.Array(MarkedSchema),
  leftOut: Type.Array(LeftOutSchema),
  /** What was live in a run that lasted, or that stopped. */
  proven: Type.Optional(Type.Array(MarkedSchema)),
  brokenRuns: Type.Integer(),
});

export interface MarkOptions {
  /** Who held the event loop when the last run was ended for it. */
  readonly hung?: Held | undefined;
  /** No third-party plugin is to start. */
  readonly safe?: boolean | undefined;
}

/** Code of one third-party plugin: its path, and the revision it had. */
export type Marked = Type.Static<typeof MarkedSchema>;
type LeftOut = Type.Static<typeof LeftOutSchema>;

/**
 * What a run leaves on disk for the next one: which third-party plugins were being started, which were live,
 * and whose code is left out because it ended the node, held its event loop or was rolled back.
 *
 * Nothing is written as long as there is no third-party plugin. Marks need to survive the end of the process,
 * not a loss of power, and so are not synced.
 */
export class RunMarks {
  readonly #file: string | undefined;
  readonly #log: Log;
  readonly #starting = new Map<string, Marked>();
  readonly #live = new Map<string, Marked>();
  /** What was begun in this run, whatever became of it. */
  readonly #begun = new BoundedMap<string, Marked>(BEGUN_MAX);
  readonly #leftOut = new Map<string, LeftOut>();
  /** The revision by path of what ran well once. */
  readonly #proven = new BoundedMap<string, string>(BEGUN_MAX);
  #brokenRuns = 0;
  #settling: TimerHandle | undefined;
  #written = false;
  /** Why no third-party plugin starts in this run, if so. */
  readonly allLeftOut: string | undefined;

  /** Without a file nothing is remembered. */
  constructor(file: string | undefined, clock: Clock, log: Log, { hung, safe = false }: MarkOptions = {}) {
    this.#file = file;
    this.#log = log;
    const last = file === undefined ? undefined : read(file);
    for (const left of last?.leftOut ?? []) this.#leftOut.set(left.path, left);
    for (const { path, revision } of last?.proven ?? []) this.#proven.set(path, revision);
    const guilty = hung && [...(last?.starting ?? []), ...(last?.live ?? [])].find((marked) => isOf(hung, marked));
    if (guilty !== undefined) this.leaveOut(guilty, `it held the event loop${placeOf(hung)}`);
    else if (last?.running === true) {
      for (const marked of last.starting) this.leaveOut(marked, 'the node ended while it was being started');
      if (last.starting.length === 0 && last.live.length > 0) this.#brokenRuns = last.brokenRuns + 1;
      if (this.#brokenRuns >= BROKEN_RUNS_MAX) {
        const why = `the node ended ${this.#brokenRuns} times in a row without stopping while`;
        const fresh = last.live.filter(({ path, revision }) => this.#proven.get(path) !== revision);
        for (const marked of fresh) this.leaveOut(marked, `${why} it ran, which it did not before`);
        const names = last.live.map(({ name, path }) => name ?? path).join(', ');
        if (fresh.length === 0) this.allLeftOut = `${why} these ran: ${names}`;
        this.#brokenRuns = 0;
      }
    }
    if (safe) this.allLeftOut = 'the node was started with --safe';
    if (last?.running === true) this.#write(false);
    if (file === undefined) return;
    this.#settling = clock.timer(SETTLED_MS, () => {
      this.#brokenRuns = 0;
      this.#prove();
      if (this.#written) this.#write(true);
    });
  }

  /** Why this code is not to be started; other code under the same path is. */
  leftOut(path: string, revision: string): LeftOut | undefined {
    const left = this.#leftOut.get(path);
    return left?.revision === revision ? left : undefined;
  }

  starting(marked: Marked): void {
    this.#begun.set(marked.path, marked);
    this.#starting.set(marked.path, marked);
    this.#write(true);
  }

  live(marked: Marked): void {
    this.#starting.delete(marked.path);
    this.#leftOut.delete(marked.path);
    this.#live.set(marked.path, marked);
    this.#write(true);
  }

  /** It runs no longer, or did not start: in an orderly way. */
  ended(path: string): void {
    const [started, lived] = [this.#starting.delete(path), this.#live.delete(path)];
    if (started || lived) this.#write(true);
  }

  /** This code is not started again until somebody asks for it by name or it changes. */
  leaveOut(marked: Marked, reason: string): void {
    this.#leftOut.delete(marked.path);
    this.#leftOut.set(marked.path, { ...marked, reason });
    const [oldest] = this.#leftOut.keys();
    if (this.#leftOut.size > LEFT_OUT_MAX && oldest !== undefined) this.#leftOut.delete(oldest);
    this.#log.warn('plugin-left-out', { plugin: marked.name ?? marked.path, reason });
    this.#write(true);
  }

  /** The same for whoever of this run held the event loop. */
  leaveOutHolder(held: Held, reason: string): void {
    const holder = [...this.#begun].map(([, marked]) => marked).find((marked) => isOf(held, marked));
    if (holder !== undefined) this.leaveOut(holder, reason);
  }

  /** The node stops in an orderly way. */
  close(): void {
    this.#settling?.cancel();
    this.#starting.clear();
    this.#prove();
    this.#live.clear();
    this.#brokenRuns = 0;
    if (this.#written) this.#write(false);
  }

  #prove(): void {
    for (const { path, revision } of this.#live.values()) this.#proven.set(path, revision);
  }

  #write(running: boolean): void {
    if (this.#file === undefined) return;
    this.#written = true;
    const text = JSON.stringify({
      running,
      starting: [...this.#starting.values()],
      live: [...this.#live.values()],
      leftOut: [...this.#leftOut.values()],
      proven: [...this.#proven].map(([path, revision]) => ({ path, revision })),
      brokenRuns: this.#brokenRuns,
    } satisfies Type.Static<typeof FileSchema>);
    try {
      writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      // A disk that is full must not keep plugins from starting.
      this.#log.error('marks-not-written', { error });
    }
  }
}

/** A file that cannot be read tells nothing. */
function read(file: string): Type.Static<typeof FileSchema> | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Value.Check(FileSchema, found) ? found : undefined;
  } catch {
    return undefined;
  }
}

const HeldSchema = Type.Object({
  file: Type.Optional(Type.String()),
  line: Type.Optional(Type.Integer()),
  /** The plugin's name, or the path of one that was being loaded. */
  plugin: Type.Optional(Type.String()),
});

function isOf({ file, plugin }: Held, { path, name }: Marked): boolean {
  if (file === path || file?.startsWith(path + sep)) return true;
  return plugin !== undefined && (plugin === name || plugin === path);
}

/** As it reads after what somebody did; nothing when it is not known. */
export function placeOf({ file, line }: Held = {}): string {
  return file === undefined ? '' : ` at ${file}:${line}`;
}

/** Who held the event loop, as far as it is known; files may be those of packages, which belong to nobody. */
export type Held = Type.Static<typeof HeldSchema>;

/** What the watchdog wrote before it ended the last run; it is taken away. */
export function takeHung(file: string): Held | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file, { force: true });
    return Value.Check(HeldSchema, found) ? found : undefined;
  } catch {
    return undefined;
  }
}
