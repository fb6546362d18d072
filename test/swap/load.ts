import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import { findPlugins } from '../../kernel/lifecycle/loader.ts';
import type { SwapOutcome } from '../../kernel/lifecycle/plugin-host.ts';
import { testNode } from '../rig/nodes.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { Copies, PLUGINS, SWAP_WAYS, swapOnce } from './copies.ts';
import { METER } from './meter.ts';
import { allStored, countStored, Load, untilTaken } from './traffic.ts';

/** Plugins that are exchanged under load. */
const SWAPPED = ['content', 'social', 'mesh'] as const;

/** So that every swap has traffic before, during and after it. */
const MESSAGES_BETWEEN_SWAPS = 100;

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
  const clock = systemClock();
  const meter = join(temporaryDirectory(t), 'meter.ts');
  writeFileSync(meter, METER);
  const plugins = [...findPlugins(PLUGINS), meter];
  const [author, reader] = [await testNode(t, { plugins }), await testNode(t, { plugins })];
  const ready = reader.nextEvent('peers/ready');
  await reader.run('follow.add', { target: author.connectString });
  await ready;

  const stored = countStored(t, reader);
  let dropped = 0;
  for (const node of [author, reader]) {
    const watching = node.bus.all().subscribe(({ topic }) => {
      if (topic === 'connection/closed') dropped++;
    });
    t.teardown(() => watching.unsubscribe());
  }

  const startedMs = performance.now();
  const posts: string[] = [];
  let counts = 0;
  // Half posts, half metered exchanges; each is repeated until it was taken.
  const load = new Load(clock, options.perSecond, async (n) => {
    if (n % 2 === 0) {
      const { id } = await untilTaken(clock, () => author.run<{ id: string }>('post.create', { text: `post ${n}` }));
      posts.push(id);
    } else {
      await untilTaken(clock, () => author.run('meter.send', { to: reader.nodeId, n }));
      counts++;
    }
  });
  const running = load.run();
  const outcomes: SwapOutcome[] = [];
  const copies = new Copies(t);
  for (let round = 0; outcomes.length < options.swaps; round++) {
    await load.reaches((round + 1) * MESSAGES_BETWEEN_SWAPS);
    const name = SWAPPED[round % SWAPPED.length] as string;
    const way = SWAP_WAYS[Math.floor(round / SWAPPED.length) % SWAP_WAYS.length] as (typeof SWAP_WAYS)[number];
    outcomes.push(...(await swapOnce((round % 4 === 3 ? author : reader).host, name, way, copies)));
  }
  load.stop();
  await running;
  const seconds = (performance.now() - startedMs) / 1_000;
  await allStored(clock, reader, posts);

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
