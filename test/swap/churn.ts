import type { ExecutionContext } from 'ava';
import type { Clock } from '../../kernel/index.ts';
import type { SwapOutcome } from '../../kernel/lifecycle/plugin-host.ts';
import { Churn, until } from './churners.ts';
import { type Copies, SWAP_WAYS, type SwapWay, swapOnce } from './copies.ts';
import { factsOf } from './facts.ts';
import { allStored, countStored, Load, type SwapNode, untilTaken } from './traffic.ts';

/** What is exchanged; each in every way, on every node that stays. */
const SWAPPED = [
  'peers',
  'routing',
  'lookup',
  'mesh',
  'anchors',
  'worm-search',
  'social',
  'presence',
  'presence',
  'content',
] as const;
/** One message in so many is a search instead. */
const SEARCH_EVERY = 50;
/** A plugin that was off has to learn again what it lost within this time. */
const LEARN_LIMIT_MS = 20_000;

/** Where the nodes run: on QUIC in real time, or in memory in virtual time. */
export interface ChurnWorld {
  readonly clock: Clock;
  /** Starts an installation; the same name again starts the same one. */
  start(name: string, anchors: readonly string[]): Promise<SwapNode>;
}

export interface ChurnOptions {
  /** Nodes that stay; the first is the anchor. At least five. */
  readonly stable: number;
  /** Nodes that come and go at a time. */
  readonly churners: number;
  readonly stayMs: number;
  readonly swaps: number;
  readonly perSecond: number;
  readonly messagesBetween: number;
}

interface SearchResult {
  readonly found: boolean;
  readonly steps: readonly { readonly step: string; readonly asked: number; readonly answered: number }[];
}

/**
 * Nodes that stay are swapped under traffic, while others join them, grow into their mesh and leave.
 * Searches whose peers did not answer in time, for which half a second is all there is, are counted apart from
 * those that missed: on a busy machine they tell of the machine.
 */
export async function swapUnderChurn(t: ExecutionContext, world: ChurnWorld, copies: Copies, options: ChurnOptions) {
  const { clock } = world;
  const stable: SwapNode[] = [];
  for (let n = 0; n < options.stable; n++) {
    stable.push(
      await world.start(
        `stable ${n}`,
        stable.slice(0, 1).map(({ connectString }) => connectString),
      ),
    );
  }
  const [anchor, author, , , searcher] = stable as [SwapNode, SwapNode, SwapNode, SwapNode, SwapNode];
  const readers = stable.slice(2, 4);
  const churn = new Churn(t, world, { stable, anchor: anchor.connectString, stayMs: options.stayMs });
  for (const node of stable) await churn.joined(node);
  for (const reader of readers) await reader.run('follow.add', { target: author.connectString });
  const stored = readers.map((reader) => countStored(t, reader));

  const posts: string[] = [];
  let [exchanges, searches, missed, unanswered] = [0, 0, 0, 0];
  const load = new Load(clock, options.perSecond, async (n) => {
    const [from, to] = [stable[n % stable.length], stable[(n * 7 + 1) % stable.length]] as [SwapNode, SwapNode];
    const sought = posts.at(-SEARCH_EVERY >> 1) ?? posts[0];
    if (n % SEARCH_EVERY === SEARCH_EVERY - 1 && sought !== undefined) {
      const params = { id: sought, kind: 'post', explain: true };
      searches++;
      const search = () => untilTaken(clock, () => searcher.run<SearchResult>('search', params));
      let { found, steps } = await search();
      const burstOf = () => steps.find(({ step }) => step === 'burst');
      // A searcher whose own peers have just come on has nobody to ask yet; its user asks again.
      await until(clock, LEARN_LIMIT_MS, async () => {
        if (found || burstOf()?.asked !== 0) return true;
        ({ found, steps } = await search());
        return false;
      });
      const burst = burstOf();
      if (found) return;
      // At most one of three holders has a plugin off, so of all peers but one somebody knew.
      if (burst !== undefined && burst.asked > 3 && burst.answered >= burst.asked - 1) missed++;
      else unanswered++;
    } else if (n % 2 === 0 || from === to) {
      const { id } = await untilTaken(clock, () => author.run<{ id: string }>('post.create', { text: `post ${n}` }));
      posts.push(id);
    } else {
      await untilTaken(clock, () => from.run('meter.send', { to: to.nodeId, n }));
      exchanges++;
    }
  });
  const startedMs = clock.monotonic();
  const running = load.run();
  const churning = churn.run(options.churners);

  const outcomes: SwapOutcome[] = [];
  const forgotten: string[] = [];
  for (let round = 0; outcomes.length < options.swaps; round++) {
    await load.reaches((round + 1) * options.messagesBetween);
    // Each plugin comes to each node in turn, and another way each time it does.
    const lap = Math.floor(round / SWAPPED.length);
    const name = SWAPPED[round % SWAPPED.length] as string;
    const node = stable[(round + lap) % stable.length] as SwapNode;
    const turn = (lap % stable.length) + Math.floor(lap / stable.length);
    const way = SWAP_WAYS[turn % SWAP_WAYS.length] as SwapWay;
    const before = await factsOf(node, name, stable);
    outcomes.push(...(await swapOnce(node.host, name, way, copies)));
    let missing = new Set<string>();
    const isAllThere = async (): Promise<boolean> => {
      const now = await factsOf(node, name, stable);
      missing = new Set([...before].filter((fact) => !now.has(fact)));
      return missing.size === 0;
    };
    // What is handed over is there at once; what was off learns it again, apart from what only it knew.
    if (way !== 'off and on') await isAllThere();
    else if (name !== 'anchors') await until(clock, LEARN_LIMIT_MS, isAllThere);
    forgotten.push(...[...missing].map((fact) => `${name}, ${way}: ${fact}`));
  }
  load.stop();
  await running;
  churn.stop();
  await churning;
  const seconds = (clock.monotonic() - startedMs) / 1_000;
  for (const reader of readers) await allStored(clock, reader, posts);
  for (const node of stable) await churn.joined(node);
  const lastJoinMs = await churn.oneMore();

  const metered = await Promise.all(stable.map((node) => node.run<{ handled: number; doubled: number }>('meter.read')));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    swaps: outcomes.length,
    messages: posts.length + exchanges + searches,
    posts: posts.length,
    exchanges,
    searches,
    missed,
    unanswered,
    seconds,
    lost:
      sum(stored.map((each) => posts.filter((id) => !each.has(id)).length)) +
      exchanges -
      sum(metered.map(({ handled }) => handled)),
    doubled:
      sum(stored.map((each) => [...each.values()].filter((times) => times > 1).length)) +
      sum(metered.map(({ doubled }) => doubled)),
    failed: outcomes
      .filter(({ outcome }) => outcome === 'refused' || outcome === 'rolled-back')
      .map(({ name, reason }) => `${name}: ${reason}`),
    forgotten,
    ...churn.report(),
    lastJoinMs,
    heldMsMax: Math.max(...outcomes.map(({ heldMs }) => heldMs)),
  };
}
