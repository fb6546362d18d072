import type { ControlClient } from '../../kernel/control/client.ts';
import { every, type UiClock } from '../clock.ts';
import { isAbsent, type Problem, problemOf } from './problem.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** A command that has not answered by then is given up, and aborted in the node. */
const CALL_MS = 15_000;
/** How often a lost connection is tried again. */
const RETRY_MS = 1_000;
/** Codes that mean that the connection to the node is gone, not that the command failed. */
const LINK_LOSS = new Set(['control/connection-lost', 'control/not-running']);

export interface LinkState {
  readonly link: 'connecting' | 'live' | 'lost';
  readonly lostAtMs: number | undefined;
}

interface Watch {
  readonly stream: string;
  readonly params: object;
  readonly onEvent: (event: unknown) => void;
  stop: (() => void) | undefined;
}

/**
 * The control client with what a long-running screen needs: every call has a deadline, and a connection
 * that drops is made anew each second until it holds; subscriptions are then renewed and `onLive` runs.
 */
export class Backend {
  readonly state: Store<LinkState>;
  /** Runs whenever the node answers for the first time or again. */
  onLive: () => void = () => {};
  /** Runs when the node of this process has stopped: there is nothing to come back to. */
  onEnd: () => void = () => {};
  /** The plugin that has a command, on or off. Set by who reads the plugins. */
  ownerOf: (command: string) => string | undefined = () => undefined;
  readonly #given: ControlClient;
  #client: ControlClient;
  readonly #reconnect: (() => Promise<ControlClient>) | undefined;
  readonly #clock: UiClock;
  readonly #watches = new Set<Watch>();
  #stopRetry: (() => void) | undefined;
  #isOver = false;

  constructor(
    client: ControlClient,
    reconnect: (() => Promise<ControlClient>) | undefined,
    clock: UiClock,
    pace: RedrawPace,
  ) {
    this.#given = client;
    this.#client = client;
    this.#reconnect = reconnect;
    this.#clock = clock;
    this.state = createStore<LinkState>({ link: 'connecting', lostAtMs: undefined }, pace);
  }

  /** The present connection. After a drop it is another one. */
  get client(): ControlClient {
    return this.#client;
  }

  /** @throws what the command threw; control/deadline or control/cancelled after `timeoutMs`. */
  async call<T>(command: string, params: object = {}, timeoutMs = CALL_MS): Promise<T> {
    const limit = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () => limit.abort());
    try {
      return await this.#client.call<T>(command, params, { signal: limit.signal });
    } catch (error) {
      if (LINK_LOSS.has(problemOf(error).code)) this.#lost();
      throw error;
    } finally {
      cancel();
    }
  }

  /** The plugin whose absence explains why a command failed, if that is the explanation. */
  pluginOff(problem: Problem, command: string): string | undefined {
    return isAbsent(problem) ? this.ownerOf(command) : undefined;
  }

  /** Streams events to `onEvent`, over reconnections, until the returned function is called. */
  watch(stream: string, params: object, onEvent: (event: unknown) => void): () => void {
    const watch: Watch = { stream, params, onEvent, stop: undefined };
    this.#watches.add(watch);
    if (this.state.get().link === 'live') void this.#start(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop?.();
    };
  }

  open(): void {
    this.#use(this.#client);
  }

  /** Ends subscriptions and retries, and connections this made itself; the given client is its giver's. */
  close(): void {
    this.#isOver = true;
    this.#stopRetry?.();
    for (const watch of this.#watches) watch.stop?.();
    this.#watches.clear();
    if (this.#client !== this.#given) this.#client.close();
  }

  #use(client: ControlClient): void {
    this.#client = client;
    void client.closed.then((reason) => {
      if (client !== this.#client || this.#isOver) return;
      if (reason === undefined) this.onEnd();
      else this.#lost();
    });
    this.#stopRetry?.();
    this.#stopRetry = undefined;
    this.state.set({ link: 'live', lostAtMs: undefined });
    for (const watch of this.#watches) void this.#start(watch);
    this.onLive();
  }

  #lost(): void {
    if (this.state.get().link === 'lost' || this.#isOver) return;
    this.state.set({ link: 'lost', lostAtMs: this.#clock.now() });
    for (const watch of this.#watches) watch.stop = undefined;
    if (this.#reconnect === undefined) this.onEnd();
    else this.#stopRetry = every(this.#clock, RETRY_MS, () => this.#tryAgain());
  }

  async #tryAgain(): Promise<void> {
    try {
      const client = await this.#reconnect?.();
      if (client === undefined) return;
      if (this.#isOver) client.close();
      else this.#use(client);
    } catch {
      // Not there yet; the header says so, and the next try follows.
    }
  }

  async #start(watch: Watch): Promise<void> {
    try {
      const stop = await this.#client.subscribe(watch.stream, watch.params, watch.onEvent);
      if (this.#watches.has(watch)) watch.stop = stop;
      else stop();
    } catch (error) {
      // Lists are refreshed by time as well, so a stream that is refused costs only freshness.
      if (LINK_LOSS.has(problemOf(error).code)) this.#lost();
    }
  }
}
