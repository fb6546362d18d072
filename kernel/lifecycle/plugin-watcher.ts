import { type FSWatcher, mkdirSync, readdirSync, watch } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Clock, TimerHandle } from '../sdk/clock.ts';
import { messageOf } from '../sdk/errors.ts';
import type { Log } from '../sdk/log.ts';
import { statOf } from './loader.ts';

/** Editors save in several steps (write, rename, chmod); one reload after the last of them. */
const SETTLE_MS = 60;
/** How soon a folder of plugins that was deleted, moved away or put back is noticed. */
const PRESENCE_MS = 2_000;
/** Folders watched at once; what lies deeper or comes later is reloaded by command only. */
const FOLDERS_MAX = 256;

/** Entries of the folder of plugins that are remembered, to be looked at again when it is another one. */
const ENTRIES_MAX = 1_024;

/**
 * Watches the folder of third-party plugins and says which entry of it changed.
 *
 * Every folder is watched by itself: on Linux Node's own recursive watch holds on to single files and
 * goes deaf for one that is saved by renaming a new file over it, which most editors do.
 */
export class PluginWatcher {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: (path: string) => Promise<void>;
  readonly #settling = new Map<string, TimerHandle>();
  readonly #folders = new Map<string, FSWatcher>();
  #presence: TimerHandle | undefined;
  /** Of the folder that is watched; undefined while there is none. */
  #inode: number | undefined;
  #entries: readonly string[] = [];

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
    } catch (error) {
      this.#failed(this.#directory, messageOf(error));
      return;
    }
    this.#watch(this.#directory);
    this.#inode = statOf(this.#directory)?.ino;
    this.#entries = entriesOf(this.#directory);
    this.#lookAgain();
  }

  /** A watch ends with its folder, in silence: another of its name has to be watched anew. */
  #lookAgain(): void {
    this.#presence = this.#clock.timer(PRESENCE_MS, () => {
      const inode = statOf(this.#directory)?.ino;
      if (inode !== this.#inode) {
        this.#inode = inode;
        for (const folder of [...this.#folders.keys()]) this.#forget(folder);
        const before = this.#entries;
        this.#entries = entriesOf(this.#directory);
        if (inode !== undefined) this.#watch(this.#directory);
        for (const entry of new Set([...before, ...this.#entries])) this.#touched(join(this.#directory, entry));
      }
      this.#lookAgain();
    });
  }

  stop(): void {
    this.#presence?.cancel();
    for (const folder of [...this.#folders.keys()]) this.#forget(folder);
    for (const timer of this.#settling.values()) timer.cancel();
    this.#settling.clear();
  }

  /** Watches a folder and those in it. */
  #watch(folder: string): void {
    if (this.#folders.has(folder)) return;
    if (this.#folders.size >= FOLDERS_MAX) {
      this.#failed(folder, `more than ${FOLDERS_MAX} folders`);
      return;
    }
    try {
      const watcher = watch(folder, { persistent: false }, (_kind, file) => this.#touched(join(folder, file ?? '')));
      watcher.on('error', (error) => {
        this.#failed(folder, messageOf(error));
        this.#forget(folder);
      });
      this.#folders.set(folder, watcher);
    } catch (error) {
      this.#failed(folder, messageOf(error));
      return;
    }
    for (const child of foldersIn(folder)) this.#watch(child);
  }

  #failed(folder: string, problem: string): void {
    this.#log.warn('plugin-watch-failed', { folder, problem });
  }

  #forget(folder: string): void {
    this.#folders.get(folder)?.close();
    this.#folders.delete(folder);
  }

  #touched(path: string): void {
    const entry = relative(this.#directory, path).split(sep)[0];
    if (!entry || isHidden(entry)) return;
    this.#settling.get(entry)?.cancel();
    this.#settling.set(
      entry,
      this.#clock.timer(SETTLE_MS, () => {
        this.#settling.delete(entry);
        this.#changed(join(this.#directory, entry)).catch((error) =>
          this.#log.error('plugin-reload-failed', { entry, problem: messageOf(error) }),
        );
      }),
    );
  }

  /** A folder may have come, gone, or been replaced by another of its name: all in the entry are watched anew. */
  async #changed(entry: string): Promise<void> {
    for (const folder of [...this.#folders.keys()]) {
      if (folder === entry || folder.startsWith(entry + sep)) this.#forget(folder);
    }
    if (statOf(entry)?.isDirectory()) this.#watch(entry);
    this.#entries = [...new Set([...this.#entries, relative(this.#directory, entry)])].slice(-ENTRIES_MAX);
    await this.#onChange(entry);
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).slice(0, ENTRIES_MAX);
  } catch {
    return [];
  }
}

/** The folders directly in one that may hold code, linked ones too; none when it is gone. */
function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !isHidden(name))
      .map((name) => join(folder, name))
      .filter((path) => statOf(path)?.isDirectory());
  } catch {
    return [];
  }
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~') || name === 'node_modules';
}
