import test from 'ava';
import { World } from './world.ts';
import type { TestNode } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Lets time go by, in which stale encounters are looked for every minute. */
async function pass(world: World, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await world.settle();
}

const lastMetMs = (node: TestNode, other: TestNode): Promise<number> =>
  node.service((content) => content.lastEncounterMs(other.id));

const pulls = (node: TestNode, to: TestNode): number =>
  node.sent.filter((sent) => sent.to === to.id && sent.name === 'PullSyncRequest').length;

async function pair(t: import('ava').ExecutionContext) {
  const world = new World(t);
  const [anna, bert] = [await world.node('anna'), await world.node('bert')];
  await anna.follow(bert);
  await world.connect(anna, bert);
  return { world, anna, bert, before: pulls(anna, bert) };
}

test('no pull before three hours since the last encounter, one after (CYC-01)', async (t) => {
  const { world, anna, bert, before } = await pair(t);
  await pass(world, 3 * HOUR_MS - 2 * MINUTE_MS);
  t.is(pulls(anna, bert), before);
  await pass(world, 4 * MINUTE_MS);
  const once = pulls(anna, bert);
  t.true(once > before);
  await pass(world, 2 * HOUR_MS);
  t.is(pulls(anna, bert), once);
});

test('a pull that failed is no encounter', async (t) => {
  const { world, anna, bert, before } = await pair(t);
  await pass(world, 2 * HOUR_MS);
  anna.lossy = true;
  await pass(world, 2 * HOUR_MS);
  const failed = pulls(anna, bert);
  t.true(failed > before + 10);
  anna.lossy = false;
  await pass(world, MINUTE_MS);
  const done = pulls(anna, bert);
  await pass(world, 2 * HOUR_MS);
  t.is(pulls(anna, bert), done);
});

test("a stranger's header of the author's newest file postpones the pull (SYNC-06)", async (t) => {
  const { world, anna, bert, before } = await pair(t);
  await pass(world, 2 * HOUR_MS);
  await anna.service((content) => content.encountered(bert.id, world.clock.now()));
  await pass(world, 2 * HOUR_MS);
  t.is(pulls(anna, bert), before);
  await pass(world, HOUR_MS + 2 * MINUTE_MS);
  t.true(pulls(anna, bert) > before);
});

test('a header from the future postpones it by one threshold and no more, an old one not at all', async (t) => {
  const { world, anna, bert, before } = await pair(t);
  const metAtMs = await lastMetMs(anna, bert);
  await anna.service((content) => content.encountered(bert.id, 1));
  t.is(await lastMetMs(anna, bert), metAtMs);
  await anna.service((content) => content.encountered(bert.id, world.clock.now() + 1_000 * HOUR_MS));
  t.is(await lastMetMs(anna, bert), world.clock.now());
  await pass(world, 3 * HOUR_MS + 2 * MINUTE_MS);
  t.true(pulls(anna, bert) > before);
});

test('a mesh neighbour that nobody follows is never pulled from (LAY-02, SYNC-04)', async (t) => {
  const { world, anna } = await pair(t);
  const carl = await world.node('carl');
  await world.connect(anna, carl);
  await pass(world, 4 * HOUR_MS);
  t.is(pulls(anna, carl), 0);
});
