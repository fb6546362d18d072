import test from 'ava';
import { World } from './world.ts';
import type { TestNode } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Runs the loop that looks for stale encounters as the kernel would. */
async function pass(world: World, node: TestNode, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += MINUTE_MS) {
    await world.clock.advance(MINUTE_MS);
    await node.live.loops?.pull?.run(new AbortController().signal);
  }
  await world.settle();
}

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
  await pass(world, anna, 3 * HOUR_MS - 2 * MINUTE_MS);
  t.is(pulls(anna, bert), before);
  await pass(world, anna, 4 * MINUTE_MS);
  const once = pulls(anna, bert);
  t.true(once > before);
  await pass(world, anna, 2 * HOUR_MS);
  t.is(pulls(anna, bert), once);
});

test('a pull that failed is no encounter', async (t) => {
  const { world, anna, bert, before } = await pair(t);
  await pass(world, anna, 2 * HOUR_MS);
  anna.lossy = true;
  await pass(world, anna, 2 * HOUR_MS);
  const failed = pulls(anna, bert);
  t.true(failed > before + 10);
  anna.lossy = false;
  await pass(world, anna, MINUTE_MS);
  const done = pulls(anna, bert);
  await pass(world, anna, 2 * HOUR_MS);
  t.is(pulls(anna, bert), done);
});

test("a stranger's header of the author's newest file postpones the pull (SYNC-06)", async (t) => {
  const { world, anna, bert, before } = await pair(t);
  const service = anna.live.services?.[0]?.service as import('../../plugins/content/api.ts').ContentService;
  await pass(world, anna, 2 * HOUR_MS);
  await world.clock.until(service.encountered(bert.id, world.clock.now()));
  await pass(world, anna, 2 * HOUR_MS);
  t.is(pulls(anna, bert), before);
  await pass(world, anna, HOUR_MS + 2 * MINUTE_MS);
  t.true(pulls(anna, bert) > before);
});

test('a header from the future postpones it by one threshold and no more, an old one not at all', async (t) => {
  const { world, anna, bert, before } = await pair(t);
  const service = anna.live.services?.[0]?.service as import('../../plugins/content/api.ts').ContentService;
  const metAt = service.lastEncounterMs(bert.id);
  await world.clock.until(service.encountered(bert.id, 1));
  t.is(service.lastEncounterMs(bert.id), metAt);
  await world.clock.until(service.encountered(bert.id, world.clock.now() + 1_000 * HOUR_MS));
  t.is(service.lastEncounterMs(bert.id), world.clock.now());
  await pass(world, anna, 3 * HOUR_MS + 2 * MINUTE_MS);
  t.true(pulls(anna, bert) > before);
});

test('a mesh neighbour that nobody follows is never pulled from (LAY-02, SYNC-04)', async (t) => {
  const { world, anna } = await pair(t);
  const carl = await world.node('carl');
  await world.connect(anna, carl);
  await pass(world, anna, 4 * HOUR_MS);
  t.is(pulls(anna, carl), 0);
});
