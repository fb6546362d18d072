import { appendFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { findPlugins } from '../../kernel/lifecycle/loader.ts';
import type { SwapOutcome } from '../../kernel/lifecycle/plugin-host.ts';
import { type TestNode, testNode } from '../rig/nodes.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Plugins that are exchanged under load. */
const SWAPPED = ['content', 'social', 'mesh'] as const;
const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url));

/** So that every swap has traffic before, during and after it. */
const MESSAGES_BETWEEN_SWAPS = 100;
/** A machine that cannot keep up is offered less, which the rate in the report shows. */
const OPEN_MAX = 200;

/**
 * `meter` sends numbered exchanges; its handler calls into mesh and social, so that a swap of those
 * sits in the middle of every call. It counts what it handled by number.
 */
const METER = `
import { defineCommand, defineExchange, definePlugin, defineToken, codeOf, Type } from 'itsgoin';
const count = defineExchange({
  name: 'test/count@1', about: 'One number', body: Type.Object({ n: Type.Integer() }), maxBytes: 256,
  budget: { perSecond: 5000, burst: 5000, inFlight: 256 },
  response: { body: Type.Object({ n: Type.Integer() }), maxBytes: 256 },
});
export default definePlugin({
  name: 'meter', version: '1.0.0', kernel: '^1', about: 'Counts', messages: { count },
  inject: { mesh: defineToken('mesh'), social: defineToken('social') },
  commands: {
    'meter.send': defineCommand({ about: 'Send one', params: Type.Object({ to: Type.String(), n: Type.Integer() }), result: Type.Any() }),
    'meter.read': defineCommand({ about: 'Read', params: Type.Object({}), result: Type.Any() }),
  },
  setup(ctx) {
    const seen = new Map();
    return {
      handlers: {
        async count({ n }) {
          // A provider that is off for the moment is waited for as a user would: by asking again.
          for (;;) {
            try {
              await ctx.deps.mesh.use((mesh) => mesh.peers());
              await ctx.deps.social.use((social) => social.follows());
              break;
            } catch (error) {
              if (codeOf(error) !== 'lifecycle/service-off') throw error;
              await ctx.clock.sleep(5);
            }
          }
          seen.set(n, (seen.get(n) ?? 0) + 1);
          return { n };
        },
      },
      commands: {
        'meter.send': ({ to, n }, { signal }) => ctx.send(to, count, { n }, { signal }),
        'meter.read': () => ({ handled: seen.size, doubled: [...seen.values()].filter((times) => times > 1).length }),
      },
    };
  },
});
`;

export interface SwapReport {
  readonly swaps: number;
  readonly messages: number;
  readonly seconds: number;
  readonly lost: number;
  readonly doubled: number;
  readonly dropped: number;
  readonly failed: readonly string[];
  readonly heldMsMax: number;
  readonly reloadMsMedian: number;
}

/**
 * Two real QUIC nodes: the author posts and both are metered, while the plugins of both are reloaded,
 * switched off and on, and replaced by other code `swaps` times in all.
 */
export async function swapUnderLoad(
  t: ExecutionContext,
  options: { swaps: number; perSecond: number },
): Promise<SwapReport> {
  const meter = join(temporaryDirectory(t), 'meter.ts');
  writeFileSync(meter, METER);
  const plugins = [...findPlugins(PLUGINS), meter];
  const [author, reader] = [await testNode(t, { plugins }), await testNode(t, { plugins })];
  const ready = reader.nextEvent('mesh/peer-ready');
  await reader.run('follow.add', { target: author.connectString });
  await ready;

  const stored = new Map<string, number>();
  let dropped = 0;
  for (const node of [author, reader]) {
    const watching = node.bus.all().subscribe(({ topic, event }) => {
      if (topic === 'connection/closed') dropped++;
      if (topic !== 'content/post-stored' || node !== reader) return;
      for (const { id } of (event as { posts: { id: string }[] }).posts) stored.set(id, (stored.get(id) ?? 0) + 1);
    });
    t.teardown(() => watching.unsubscribe());
  }

  const startedMs = performance.now();
  const load = new Load(author, reader, options.perSecond);
  const running = load.run();
  const outcomes: SwapOutcome[] = [];
  const copies = new Copies(t);
  for (let round = 0; outcomes.length < options.swaps; round++) {
    await load.reaches((round + 1) * MESSAGES_BETWEEN_SWAPS);
    outcomes.push(...(await swapOnce(round, round % 4 === 3 ? author : reader, copies)));
  }
  load.stop();
  const { posts, counts } = await running;
  const seconds = (performance.now() - startedMs) / 1_000;
  await allStored(reader, posts);

  const metered = await reader.run<{ handled: number; doubled: number }>('meter.read');
  const swapped = outcomes.filter(({ outcome }) => outcome !== 'disabled');
  return {
    swaps: outcomes.length,
    messages: posts.length + counts,
    seconds,
    lost: posts.filter((id) => !stored.has(id)).length + (counts - metered.handled),
    doubled: [...stored.values()].filter((times) => times > 1).length + metered.doubled,
    dropped,
    failed: outcomes
      .filter(({ outcome }) => outcome === 'refused' || outcome === 'rolled-back')
      .map(({ name, reason }) => `${name}: ${reason}`),
    heldMsMax: Math.max(...outcomes.map(({ heldMs }) => heldMs)),
    reloadMsMedian: swapped.map(({ totalMs }) => totalMs).sort((a, b) => a - b)[swapped.length >> 1] ?? 0,
  };
}

/** One of: reload, off and on again, replace by changed code. */
async function swapOnce(round: number, node: TestNode, copies: Copies): Promise<SwapOutcome[]> {
  const name = SWAPPED[round % SWAPPED.length] as string;
  switch (Math.floor(round / SWAPPED.length) % 3) {
    case 0:
      return [await node.host.reload(name)];
    case 1:
      return [await node.host.disable(name), await node.host.enable(name)];
    default:
      return [await node.host.replace(name, copies.next(name))];
  }
}

/** A copy of the plugins, beside the originals so that their imports of the kernel hold. */
class Copies {
  readonly #root = `${PLUGINS}-copy-${process.pid}`;
  #revision = 0;

  constructor(t: ExecutionContext) {
    cpSync(PLUGINS, this.#root, { recursive: true });
    t.teardown(() => rmSync(this.#root, { recursive: true, force: true }));
  }

  /** The path of a plugin whose code differs from all that ran before. */
  next(name: string): string {
    appendFileSync(join(this.#root, name, 'plugin.js'), `\n// revision ${++this.#revision}\n`);
    return join(this.#root, name);
  }
}

/** Half posts, half metered exchanges, paced by the clock; each is repeated until it was taken. */
class Load {
  readonly #author: TestNode;
  readonly #reader: TestNode;
  readonly #perSecond: number;
  readonly #posts: string[] = [];
  #counts = 0;
  #sent = 0;
  #stopped = false;
  #target: { readonly count: number; readonly reached: () => void } | undefined;

  constructor(author: TestNode, reader: TestNode, perSecond: number) {
    this.#author = author;
    this.#reader = reader;
    this.#perSecond = perSecond;
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

  async run(): Promise<{ posts: string[]; counts: number }> {
    const startedMs = performance.now();
    const open = new Set<Promise<void>>();
    while (!this.#stopped) {
      const due = ((performance.now() - startedMs) / 1_000) * this.#perSecond;
      while (this.#sent < due && open.size < OPEN_MAX) {
        const n = this.#sent++;
        const work: Promise<void> = (n % 2 === 0 ? this.#post(n) : this.#count(n)).finally(() => open.delete(work));
        open.add(work);
      }
      if (this.#target && this.#sent >= this.#target.count) this.#target.reached();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(open);
    return { posts: this.#posts, counts: this.#counts };
  }

  async #post(n: number): Promise<void> {
    const { id } = await untilTaken(() => this.#author.run<{ id: string }>('post.create', { text: `post ${n}` }));
    this.#posts.push(id);
  }

  async #count(n: number): Promise<void> {
    await untilTaken(() => this.#author.run('meter.send', { to: this.#reader.nodeId, n }));
    this.#counts++;
  }
}

/** Repeats what was refused before it was handled: the plugin was off, or too much waited at once. */
async function untilTaken<R>(attempt: () => Promise<R>): Promise<R> {
  const retry = new Set([
    'lifecycle/service-off',
    'lifecycle/unknown-command',
    'lifecycle/hold-full',
    'wire/unsupported',
  ]);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!retry.has((error as { code: string }).code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Waits until the reader has every post, or for twenty seconds. */
async function allStored(reader: TestNode, posts: readonly string[]): Promise<void> {
  const missing = new Set(posts);
  for (let attempt = 0; attempt < 200 && missing.size > 0; attempt++) {
    for (const id of missing) {
      if (!(await hasPost(reader, id))) break;
      missing.delete(id);
    }
    if (missing.size > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function hasPost(reader: TestNode, id: string): Promise<boolean> {
  try {
    await reader.run('post.show', { id });
    return true;
  } catch {
    return false;
  }
}
