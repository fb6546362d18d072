import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Calls } from './end.ts';

const SCRIPT = fileURLToPath(new URL('end.js', import.meta.url));
const CALL_LIMIT_MS = 120_000;

/** A process that holds one end or both; see `end.ts`. */
export class EndProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 0;

  /** `within` is put before the command: where it is to run. */
  constructor(within: readonly string[], tmpDir: string) {
    const [command = '', ...args] = [...within, process.execPath, SCRIPT];
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, TMPDIR: tmpDir },
    });
    this.#child.on('message', ({ id, value, error }: { id: number; value: never; error?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`an end stopped with ${code}`));
    });
  }

  async call<K extends keyof Calls>(call: K, options: Parameters<Calls[K]>[0]): Promise<Awaited<ReturnType<Calls[K]>>> {
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Calls[K]>>>();
    this.#waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => reject(new Error(`${call} took over ${CALL_LIMIT_MS} ms`)), CALL_LIMIT_MS);
    this.#child.send({ id, call, options });
    return promise.finally(() => clearTimeout(timer));
  }

  stop(): void {
    this.#child.kill();
  }

  /** Stops it, and resolves when it is gone. */
  async stopped(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.stop();
    await gone;
  }
}
