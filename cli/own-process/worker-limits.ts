import { syncBuiltinESMExports } from 'node:module';
import workers, { Worker, type WorkerOptions } from 'node:worker_threads';
import type { GuardedNode } from '../../kernel/node.ts';

/** What a thread of a third-party plugin may have that asks for nothing else. */
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

/**
 * Threads of third-party code have a limit of memory, end with the generation that started them, and their plugin
 * answers for errors of theirs that it does not listen for: those would end the process.
 */
export function limitWorkers(node: GuardedNode): void {
  class LimitedWorker extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const caller = node.caller();
      super(
        file,
        caller === undefined ? options : { ...options, resourceLimits: { ...LIMITS, ...options.resourceLimits } },
      );
      if (caller === undefined) return;
      const end = (): void => void this.terminate();
      caller.signal?.addEventListener('abort', end, { once: true });
      this.once('exit', () => caller.signal?.removeEventListener('abort', end));
      this.on('error', (error) => {
        if (this.listenerCount('error') === 1) caller.run(() => node.strayError(error));
      });
    }
  }
  Object.defineProperty(LimitedWorker, 'name', { value: 'Worker' });
  workers.Worker = LimitedWorker;
  syncBuiltinESMExports();
}
