import type { ExecutionContext } from 'ava';
import type { Bus } from '../../kernel/bus/bus.ts';
import type { Clock, NodeId } from '../../kernel/index.ts';
import { codeOf } from '../../kernel/index.ts';
import type { PluginHost } from '../../kernel/lifecycle/plugin-host.ts';
import type { NetworkHost } from '../../kernel/wire/index.ts';

/** What these tests need of a node, on whatever network it runs. */
export interface SwapNode {
  readonly nodeId: NodeId;
  readonly connectString: string;
  readonly host: PluginHost;
  readonly network: NetworkHost;
  readonly bus: Bus;
  /** Runs a command as the CLI would. */
  run<R = Record<string, unknown>>(command: string, params?: Record<string, unknown>): Promise<R>;
  stop(): Promise<void>;
}

/** A machine that cannot keep up is offered less, which the rate in the report shows. */
const OPEN_MAX = 200;
/** Messages that are refused because a plugin is off, or because too many wait for it. */
const REFUSALS = new Set([
  'lifecycle/service-off',
  'command/unknown-command',
  'lifecycle/hold-full',
  'wire/unsupported',
]);

/** Sends numbered messages, paced by the clock, until it is stopped. */
export class Load {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #send: (n: number) => Promise<void>;
  #sent = 0;
  #stopped = false;
  #target: { readonly count: number; readonly reached: () => void } | undefined;

  constructor(clock: Clock, perSecond: number, send: (n: number) => Promise<void>) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#send = send;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when so many messages have been sent. */
  reaches(count: number): Promise<void> {
    return new Promise((reached) => {
      this.#target = { count, reached };
    });
  }

  /** Resolves when all that was sent before the stop is done, with how many that are. */
  async run(): Promise<number> {
    const startedMs = this.#clock.monotonic();
    const open = new Set<Promise<void>>();
    while (!this.#stopped) {
      const due = ((this.#clock.monotonic() - startedMs) / 1_000) * this.#perSecond;
      while (this.#sent < due && open.size < OPEN_MAX) {
        const work: Promise<void> = this.#send(this.#sent++).finally(() => open.delete(work));
        open.add(work);
      }
      if (this.#target && this.#sent >= this.#target.count) this.#target.reached();
      await this.#clock.sleep(2);
    }
    await Promise.all(open);
    return this.#sent;
  }
}

/** Repeats what was refused before it was handled, as a user would. */
export async function untilTaken<R>(clock: Clock, attempt: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!REFUSALS.has(codeOf(error))) throw error;
      await clock.sleep(5);
    }
  }
}

/** Counts the posts that a node stores. */
export function countStored(t: ExecutionContext, node: SwapNode): ReadonlyMap<string, number> {
  const stored = new Map<string, number>();
  const watching = node.bus.all().subscribe(({ topic, event }) => {
    if (topic !== 'content/post-stored') return;
    for (const { id } of (event as { posts: { id: string }[] }).posts) stored.set(id, (stored.get(id) ?? 0) + 1);
  });
  t.teardown(() => watching.unsubscribe());
  return stored;
}

/** Waits until a node has every post, or for twenty seconds. */
export async function allStored(clock: Clock, node: SwapNode, posts: readonly string[]): Promise<void> {
  const missing = new Set(posts);
  for (let attempt = 0; attempt < 200 && missing.size > 0; attempt++) {
    for (const id of missing) {
      if (!(await hasPost(node, id))) break;
      missing.delete(id);
    }
    if (missing.size > 0) await clock.sleep(100);
  }
}

async function hasPost(node: SwapNode, id: string): Promise<boolean> {
  try {
    await node.run('post.show', { id });
    return true;
  } catch {
    return false;
  }
}
