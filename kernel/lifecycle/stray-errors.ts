import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../sdk/clock.ts';
import { codeOf, messageOf } from '../sdk/errors.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import type { Log } from '../sdk/log.ts';
import { runningAs } from './attribution.ts';
import type { PluginRecord } from './plugin-record.ts';

/** Stray errors within this time that a third-party plugin is switched off for, or sent back to its code before. */
export const STRAYS_MAX = 3;
export const STRAYS_WITHIN_MS = 60_000;
/** Code that is off, or gone, may still have timers of its own: of the errors of one plugin these are logged a minute. */
const LOGGED_MAX = 10;
const PLUGINS_MAX = 256;
/** Of a stack, which a plugin may make as long as it likes. */
const STACK_MAX = 16_384;
/** Texts of stack frames: `file:///…/plugin.ts?rev=…:12:5`. */
const FRAME = /(file:\/\/[^\s?)]+?)(\?[^\s:)]*)?:\d+:\d+/g;

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
  charge(error: unknown, { fatal = false }: { readonly fatal?: boolean } = {}): string | undefined {
    const record = this.ownerOf(error);
    const name = record?.name ?? strangerIn(error);
    if (name === undefined) return undefined;
    const came = this.#came(name);
    if (record?.generation !== undefined) record.generation.reportFailure('stray error', error);
    else if (came <= LOGGED_MAX) this.#log.error('stray-error', { plugin: name, code: codeOf(error), error });
    if (record === undefined || !this.#isForeign(record) || (!fatal && came < STRAYS_MAX)) return name;
    const times = fatal ? '' : `${STRAYS_MAX} errors that nothing caught, the last: `;
    this.#giveUp(record, `${times}${messageOf(error)}`);
    return name;
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
    const led = runningAs();
    return owners.find((record) => this.#isForeign(record)) ?? records.find(({ name }) => name === led) ?? owners[0];
  }

  /** The third-party plugin whose code calls, for what is the node's alone to do. Of code being loaded, its file. */
  caller(): string | undefined {
    const here = new Error('who calls');
    const owner = this.ownerOf(here);
    if (owner === undefined) return strangerIn(here);
    return this.#isForeign(owner) ? owner.name : undefined;
  }
}

/** Plugin code that no plugin known here has: it is being loaded, or its plugin is gone. */
function strangerIn(error: unknown): string | undefined {
  return runningAs() ?? framesOf(error).find(({ plugin }) => plugin)?.file;
}

function holds({ loaded, path }: PluginRecord, file: string): boolean {
  const own = loaded?.home ?? resolve(path);
  return file === own || file.startsWith(own + sep);
}

/** The files of a stack, innermost first, and whether they are of plugins: only those have a revision. */
function framesOf(error: unknown): { readonly file: string; readonly plugin: boolean }[] {
  try {
    const stack = String((error as Error | undefined)?.stack ?? '').slice(0, STACK_MAX);
    return [...stack.matchAll(FRAME)].map(([, url = '', query]) => ({
      file: fileURLToPath(url),
      plugin: query?.startsWith('?rev=') === true,
    }));
  } catch {
    // A stack may be a getter that throws, a URL none of a file.
    return [];
  }
}
