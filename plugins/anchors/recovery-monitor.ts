import { codeOf } from '../../kernel/index.ts';
import type { BootstrapCause } from './api.ts';
import type { AnchorsContext } from './context.ts';
import type { KnownAnchors } from './known-anchors.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { PeerDirectory } from './peer-directory.ts';

/** A cascade of disconnects settles in this time, and makes one recovery (CONN-14). */
const DEBOUNCE_MS = 2_000;
/** After a restart mesh dials those who were here before: only when that fails anchors are asked. */
const RETURN_WAIT_MS = 10_000;
/** Nobody answered: wait, twice as long each time. */
const RETRY_BASE_MS = 30_000;
const RETRY_MAX_MS = 10 * 60_000;

interface LookoutDeps {
  readonly directory: PeerDirectory;
  readonly known: KnownAnchors;
  readonly rejoin: Bootstrap;
  /** False when there is no anchor to ask: then nothing is tried until a peer was lost again. */
  hasAnchors(): Promise<boolean>;
}

/** Watches for an empty mesh, and has it filled again: the only thing that starts recovery (CYC-05). */
export class RecoveryMonitor {
  readonly #anchors: AnchorsContext;
  readonly #deps: LookoutDeps;
  #isWatching = false;

  constructor(anchors: AnchorsContext, deps: LookoutDeps) {
    this.#anchors = anchors;
    this.#deps = deps;
  }

  /** The node has started: an empty database asks at once, another waits for its old peers (ID-08). */
  started(): void {
    const isFirst = this.#deps.known.all().length === 0;
    this.#begin(isFirst ? 'bootstrap' : 'recovery', isFirst ? 0 : RETURN_WAIT_MS);
  }

  /** A peer has gone, or a new generation looks for the first time. */
  check(): void {
    if (this.#deps.directory.meshSize() === 0) this.#begin('recovery', DEBOUNCE_MS);
  }

  #begin(cause: BootstrapCause, waitMs: number): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const work = this.#fill(cause, waitMs).finally(() => {
      this.#isWatching = false;
    });
    this.#anchors.ctx.background('recovery', work);
  }

  /** Ends when the mesh has somebody. */
  async #fill(cause: BootstrapCause, firstWaitMs: number): Promise<void> {
    const { ctx } = this.#anchors;
    let waitMs = firstWaitMs;
    for (let failures = 0; ; failures++) {
      await ctx.clock.sleep(waitMs, ctx.signal);
      if (this.#deps.directory.meshSize() > 0) return;
      try {
        if (!(await this.#deps.hasAnchors())) return;
        await this.#deps.rejoin.run(cause);
      } catch (error) {
        // A plugin that is being swapped, a disk that is full: it is another failure, and not the last try.
        ctx.signal.throwIfAborted();
        ctx.counters.add(`recovery-failed.${codeOf(error)}`);
      }
      if (this.#deps.directory.meshSize() > 0) return;
      // Drawn from half to the whole, so that a crowd that lost the same anchor spreads out.
      waitMs = Math.min(RETRY_BASE_MS * 2 ** failures, RETRY_MAX_MS) * (0.5 + ctx.random.float() / 2);
    }
  }
}
