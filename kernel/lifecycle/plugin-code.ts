import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Clock } from '../sdk/clock.ts';
import { lifecycleErrors } from './errors.ts';
import { type LoadedPlugin, loadPlugin } from './loader.ts';
import type { RunMarks } from './run-marks.ts';

/** Loads the code of plugins, and marks what does not ship with the node before any of it is evaluated. */
export class PluginCode {
  readonly marks: RunMarks;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #shipped = new Set<string>();
  #beforeForeign: (() => void) | undefined;

  /** `signal` aborts when the node stops; `beforeForeign` is called once. */
  constructor(marks: RunMarks, clock: Clock, signal: AbortSignal, beforeForeign?: () => void) {
    this.#beforeForeign = beforeForeign;
    this.marks = marks;
    this.#clock = clock;
    this.#signal = signal;
  }

  ships(path: string): void {
    this.#shipped.add(resolve(path));
  }

  isForeign(path: string): boolean {
    return !this.#shipped.has(resolve(path));
  }

  /**
   * What `loadPlugin` does. With `unasked` (nobody named this plugin, the node starts) code that was left out
   * is refused before it is evaluated.
   * @throws lifecycle/load-failed, lifecycle/bad-manifest, lifecycle/left-out
   */
  async load(path: string, { unasked = false }: { readonly unasked?: boolean } = {}): Promise<LoadedPlugin> {
    const foreign = this.isForeign(path);
    const marked = existsSync(path) ? realpathSync(path) : resolve(path);
    const began = (revision: string): void => {
      const left = unasked ? this.marks.leftOut(marked, revision) : undefined;
      const reason = unasked ? (this.marks.allLeftOut ?? left?.reason) : undefined;
      if (reason !== undefined) {
        // As it is listed: the name in the code is not read.
        throw lifecycleErrors.make('left-out', { name: nameless(path), reason: reason.replace(/\.$/, '') });
      }
      this.#beforeForeign?.();
      this.#beforeForeign = undefined;
      this.marks.starting({ path: marked, revision });
    };
    try {
      return await loadPlugin(path, this.#clock, this.#signal, { foreign, ...(foreign ? { began } : {}) });
    } finally {
      this.marks.ended(marked);
    }
  }
}

/** A plugin whose code does not load has no name of its own yet: its file name stands in. */
export function nameless(path: string): string {
  const base = path.split(/[\\/]/).at(-1) ?? path;
  return base.replace(/\.(ts|js|mts|mjs)$/, '');
}
