import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../sdk/clock.ts';
import { codeOf, messageOf } from '../sdk/errors.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import type { Log } from '../sdk/log.ts';
import { runAs, runningAs } from './attribution.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { Held } from './run-marks.ts';

/** Stray errors within this time that a third-party plugin is switched off for, or sent back to its code before. */
export const STRAYS_MAX = 3;
export const STRAYS_WITHIN_MS = 60_000;
/** Code that is off, or gone, may still have timers of its own: of the errors of one plugin these are logged a minute. */
const LOGGED_MAX = 10;
const PLUGINS_MAX = 256;
/** Errors that one plugin led to within this time, beyond which they are only counted. */
const BURST_MAX = 100;
const BURST_MS = 1_000;
/** Of a stack, which a plugin may make as long as it likes. */
const STACK_MAX = 16_384;
/** Texts of stack frames: `file:///…/plugin.ts?rev=…:12:5`, and `/…/index.js:12:5` of CommonJS. */
const FRAME = /((?:file:\/\/|\/|[A-Z]:\\)[^\s?)]+?)(\?[^\s:)]*)?:\d+:\d+/g;

/** Third-party code that calls something of the node's. */
export interface Caller {
  /** The plugin's name; its path or file while it is being loaded. */
  readonly name: string;
  /** Aborts when the generation ends whose code called; undefined where that cannot be told. */
  readonly signal: AbortSignal | undefined;
  /** True while that code is live. */
  serves(): boolean;
  /** Calls back into it. */
  run<R>(call: () => R): R;
}

export interface ChargeOptions {
  readonly fatal?: boolean;
  /** Who is to blame, where the error cannot tell. */
  readonly held?: Held;
}

/**
 * Errors that no caller catches: rejections nobody waits for, throws in timers, emitters and microtasks. The
 * plugin whose code they come from answers for them. It is found by the stack; where a stack has none of its
 * files, or there is no stack, by whose code led there ({@link runningAs}).
 */
export class StrayErrors {
  readonly #plugins: () => readonly PluginRecord[];
  readonly #isForeign: (record: PluginRecord) => boolean;
  readonly #giveUp: (record: PluginRecord, reason: string) => void;
  readonly #clock: Clock;
  readonly #log: Log;
  /** When the last stray errors of each plugin came; beyond the cap the plugin heard of longest ago is forgotten. */
  readonly #cameMs = new BoundedMap<string, number[]>(PLUGINS_MAX);
  #burst: { readonly led: string; readonly sinceMs: number; count: number } | undefined;

  constructor(deps: {
    plugins(): readonly PluginRecord[];
    isForeign(record: PluginRecord): boolean;
    /** Takes a third-party plugin's present code out of service. */
    giveUp(record: PluginRecord, reason: string): void;
    clock: Clock;
    log: Log;
  }) {
    this.#plugins = deps.plugins;
    this.#isForeign = deps.isForeign;
    this.#giveUp = deps.giveUp;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /**
   * Counts it against its plugin, with `fatal` as the last one that is borne. Returns the plugin's name, or of one
   * that is gone the file that still runs; undefined when it is nobody's.
   */
  charge(error: unknown, { fatal = false, held }: ChargeOptions = {}): string | undefined {
    const led = runningAs()?.plugin;
    if (!fatal && led !== undefined && this.#isBurst(led)) return led;
    const record = held === undefined ? this.ownerOf(error) : this.#holder(held);
    const name = record?.name ?? (held === undefined ? strangerIn(error) : (held.plugin ?? held.file));
    if (name === undefined) return undefined;
    const came = this.#came(name);
    if (record?.generation !== undefined) record.generation.reportFailure('stray error', error);
    else if (came <= LOGGED_MAX) this.#log.error('stray-error', { plugin: name, code: codeOf(error), error });
    if (record === undefined || !this.#isForeign(record) || (!fatal && came < STRAYS_MAX)) return name;
    const times = fatal ? '' : `${STRAYS_MAX} errors that nothing caught, the last: `;
    this.#giveUp(record, `${times}${messageOf(error)}`);
    return name;
  }

  #holder({ file, plugin }: Held): PluginRecord | undefined {
    return this.#plugins().find((record) => file !== undefined && holds(record, file)) ?? this.#namedBy(plugin);
  }

  /** By its name, or by its path, which stands for it while it is being loaded. */
  #namedBy(plugin: string | undefined): PluginRecord | undefined {
    if (plugin === undefined) return undefined;
    return this.#plugins().find((record) => plugin === record.name || holds(record, plugin));
  }

  /** A plugin that is found out may still have thousands to come, and looking into each holds the event loop. */
  #isBurst(led: string): boolean {
    const nowMs = this.#clock.monotonic();
    const burst = this.#burst;
    if (burst?.led !== led || nowMs - burst.sinceMs > BURST_MS) {
      this.#burst = { led, sinceMs: nowMs, count: 1 };
      return false;
    }
    return ++burst.count > BURST_MAX;
  }

  /** How many have come from it lately, with this one. */
  #came(name: string): number {
    const nowMs = this.#clock.monotonic();
    const lately = (this.#cameMs.get(name) ?? []).filter((atMs) => nowMs - atMs < STRAYS_WITHIN_MS);
    lately.push(nowMs);
    this.#cameMs.set(name, lately.slice(-LOGGED_MAX - 1));
    return lately.length;
  }

  /** The plugin whose code the error comes from. A third-party plugin that led there answers before one of the node's. */
  ownerOf(error: unknown): PluginRecord | undefined {
    const records = this.#plugins();
    const owners = framesOf(error).flatMap(({ file }) => records.find((record) => holds(record, file)) ?? []);
    const foreign = owners.find((record) => this.#isForeign(record));
    return foreign ?? this.#namedBy(runningAs()?.plugin) ?? owners[0];
  }

  /** The third-party plugin whose code calls, for what is the node's alone to do or to undo. */
  caller(): Caller | undefined {
    const here = new Error('who calls');
    const owner = this.ownerOf(here);
    const name = owner?.name ?? strangerIn(here);
    if (name === undefined || (owner !== undefined && !this.#isForeign(owner))) return undefined;
    const { signal } = runningAs() ?? {};
    const { file = name, revision } = framesOf(here).find((frame) => frame.revision !== undefined) ?? {};
    return {
      name,
      signal,
      run: (call) => runAs(name, call, signal),
      serves: () =>
        signal?.aborted !== true &&
        this.#plugins().some((record) => {
          if (record.generation === undefined || (record.name !== name && !holds(record, file))) return false;
          return revision === undefined || record.loaded?.revision === revision;
        }),
    };
  }
}

/** Plugin code that no plugin known here has: it is being loaded, or its plugin is gone. */
function strangerIn(error: unknown): string | undefined {
  return runningAs()?.plugin ?? framesOf(error).find(({ revision }) => revision !== undefined)?.file;
}

function holds({ loaded, path }: PluginRecord, file: string): boolean {
  const own = loaded?.home ?? resolve(path);
  return file === own || file.startsWith(own + sep);
}

/** The files of a stack, innermost first, and their revisions: only those of plugins have one. */
function framesOf(error: unknown): { readonly file: string; readonly revision: string | undefined }[] {
  try {
    const stack = String((error as Error | undefined)?.stack ?? '').slice(0, STACK_MAX);
    return [...stack.matchAll(FRAME)].map(([, url = '', query]) => ({
      file: url.startsWith('file:') ? fileURLToPath(url) : url,
      revision: query === undefined ? undefined : (new URLSearchParams(query).get('rev') ?? undefined),
    }));
  } catch {
    // A stack may be a getter that throws, a URL none of a file.
    return [];
  }
}
