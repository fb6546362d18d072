import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { join, sep } from 'node:path';
import type { Clock, TimerHandle } from '../sdk/clock.ts';
import type { Log } from '../sdk/log.ts';
import { describe } from './generation.ts';

/** Editors save in several steps (write, rename, chmod); one reload after the last of them. */
const SETTLE_MS = 60;

/** Watches the folder of third-party plugins and says which entry of it changed. */
export class PluginWatcher {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: (path: string) => Promise<void>;
  readonly #settling = new Map<string, TimerHandle>();
  #watcher: FSWatcher | undefined;

  /** `onChange` gets the path of the plugin's own file or folder, directly inside `directory`. */
  constructor(directory: string, clock: Clock, log: Log, onChange: (path: string) => Promise<void>) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Makes the folder if it is missing. A system without enough watches is reported, not fatal. */
  start(): void {
    try {
      mkdirSync(this.#directory, { recursive: true });
      this.#watcher = watch(this.#directory, { recursive: true, persistent: false }, (_kind, file) =>
        this.#touched(file),
      );
      this.#watcher.on('error', (error) => this.#log.warn('plugin-watch-failed', { problem: describe(error) }));
    } catch (error) {
      this.#log.warn('plugin-watch-failed', { problem: describe(error) });
    }
  }

  stop(): void {
    this.#watcher?.close();
    for (const timer of this.#settling.values()) timer.cancel();
    this.#settling.clear();
  }

  #touched(file: string | null): void {
    const entry = file?.split(sep)[0];
    if (!entry || entry.startsWith('.') || entry.endsWith('~') || entry === 'node_modules') return;
    this.#settling.get(entry)?.cancel();
    this.#settling.set(
      entry,
      this.#clock.timer(SETTLE_MS, () => {
        this.#settling.delete(entry);
        this.#onChange(join(this.#directory, entry)).catch((error) =>
          this.#log.error('plugin-reload-failed', { entry, problem: describe(error) }),
        );
      }),
    );
  }
}
