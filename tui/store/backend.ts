import { every, type UiClock } from '../clock.ts';
import type { ControlClient, Unsubscribe } from '../client.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';
import { problemOf } from './problem.ts';

/** A command that has not answered by then is given up. */
const CALL_MS = 15_000;
/** How often a lost connection is tried again, and how long a try may take. */
const RETRY_MS = 1_000;

export interface LinkState {
  readonly link: 'connecting' | 'live' | 'lost';
  readonly lostAtMs: number | undefined;
}

interface Watch {
  readonly method: string;
  readonly params: unknown;
  readonly onEvent: (event: unknown) => void;
  stop: Unsubscribe | undefined;
}

/**
 * The control client with what a long-running screen needs: every call has a deadline, and when the
 * connection drops it is tried again each second; subscriptions are then renewed and `onLive` runs.
 */
export class Backend {
  readonly state: Store<LinkState>;
  /** Runs whenever the node answers for the first time or again. */
  onLive: () => void = () => {};
  #client: ControlClient;
  #clock: UiClock;
  #watches = new Set<Watch>();
  #stopProbe: (() => void) | undefined;
  #closed = false;

  constructor(client: ControlClient, clock: UiClock, pace: RedrawPace) {
    this.#client = client;
    this.#clock = clock;
    this.state = createStore<LinkState>({ link: 'connecting', lostAtMs: undefined }, pace);
  }

  /** @throws what the command threw; `TimeoutError` after 15 s. */
  async call<T>(method: string, params: unknown = {}, timeoutMs = CALL_MS): Promise<T> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const result = await Promise.race([this.#client.call(method, params, { signal: deadline }), aborted(deadline)]);
      this.#live();
      return result as T;
    } catch (error) {
      if (isLinkLoss(problemOf(error).code)) this.#lost();
      else if (problemOf(error).code !== 'tui/no-answer') this.#live();
      throw error;
    }
  }

  /** Streams events to `onEvent`, over reconnections, until the returned function is called. */
  watch(method: string, params: unknown, onEvent: (event: unknown) => void): Unsubscribe {
    const watch: Watch = { method, params, onEvent, stop: undefined };
    this.#watches.add(watch);
    if (this.state.get().link === 'live') void this.#start(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop?.();
    };
  }

  /** Makes the first contact; `onLive` runs when the node answers. */
  open(): void {
    void this.#probe();
    this.#retry();
  }

  close(): void {
    this.#closed = true;
    this.#stopProbe?.();
    for (const watch of this.#watches) watch.stop?.();
    this.#watches.clear();
  }

  #live(): void {
    if (this.state.get().link === 'live' || this.#closed) return;
    this.#stopProbe?.();
    this.#stopProbe = undefined;
    this.state.set({ link: 'live', lostAtMs: undefined });
    for (const watch of this.#watches) void this.#start(watch);
    this.onLive();
  }

  #lost(): void {
    if (this.state.get().link === 'lost' || this.#closed) return;
    this.state.set({ link: 'lost', lostAtMs: this.#clock.now() });
    for (const watch of this.#watches) watch.stop = undefined;
    this.#retry();
  }

  #retry(): void {
    this.#stopProbe ??= every(this.#clock, RETRY_MS, () => this.#probe());
  }

  /** `status` is a kernel command: it is there whatever plugin is off. */
  async #probe(): Promise<void> {
    await this.call('status', {}, RETRY_MS * 3).catch((error) => {
      if (this.state.get().link === 'connecting' && isLinkLoss(problemOf(error).code)) this.#lost();
    });
  }

  async #start(watch: Watch): Promise<void> {
    try {
      const stop = await this.#client.subscribe(watch.method, watch.params, watch.onEvent);
      if (this.#watches.has(watch)) watch.stop = stop;
      else stop();
    } catch (error) {
      if (isLinkLoss(problemOf(error).code)) this.#lost();
      // A node without this stream still works: lists are refreshed by time as well.
    }
  }
}

/** Codes that mean the connection to the node is gone, not that the command failed. */
function isLinkLoss(code: string): boolean {
  return LINK_LOSS.has(code);
}
const LINK_LOSS = new Set(['control/connection-lost', 'control/not-running', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
