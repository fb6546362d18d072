import test from 'ava';
import type { ExecutionContext } from 'ava';
import { serviceArrived } from '../../kernel/index.ts';
import { postDeleted } from '../../plugins/content/api.ts';
import { peerFeaturesChanged } from '../../plugins/peers/api.ts';
import { World } from './world.ts';
import type { TestNode } from './world.ts';

/** What the plugin does when something happens around it. */

async function pair(t: ExecutionContext): Promise<{ world: World; anna: TestNode; ben: TestNode }> {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  return { world, anna, ben };
}

const pulls = (node: TestNode): number => node.sent.filter(({ name }) => name === 'PullSyncRequest').length;

test('when peers or social comes on, or the other side changes its features, the followed are pulled from', async (t) => {
  const { world, anna, ben } = await pair(t);
  const occasions = {
    peers: () => ben.bus.publish(serviceArrived, { token: 'peers', plugin: 'peers' }),
    social: () => ben.bus.publish(serviceArrived, { token: 'social', plugin: 'social' }),
    features: () => ben.bus.publish(peerFeaturesChanged, { peer: anna.identity.self, connectionId: 1, features: [] }),
  };
  for (const [occasion, happen] of Object.entries(occasions)) {
    const before = pulls(ben);
    happen();
    await world.settle();
    t.true(pulls(ben) > before, occasion);
  }
  const before = pulls(ben);
  ben.bus.publish(serviceArrived, { token: 'anchors', plugin: 'anchors' });
  await world.settle();
  t.is(pulls(ben), before);
});

test('whoever is unfollowed and followed again was never met', async (t) => {
  const { world, anna, ben } = await pair(t);
  const lastMetMs = () => ben.service((content) => content.lastEncounterMs(anna.id));
  t.true((await lastMetMs()) > 0);
  world.disconnect(anna, ben);
  await ben.unfollow(anna);
  await ben.follow(anna);
  t.is(await lastMetMs(), 0);
  await ben.service((content) => content.encountered(anna.id, 5));
  t.is(await lastMetMs(), 5);
  await ben.unfollow(anna);
  await ben.service((content) => content.encountered(anna.id, 7));
  t.is(await lastMetMs(), 0);
});

test('deleting an own post tells other plugins that it was here, and takes it off the figures', async (t) => {
  const { world, anna } = await pair(t);
  const heard: unknown[] = [];
  anna.bus.subscribe('test', postDeleted, (event) => void heard.push(event));
  const { id } = (await anna.run('post.create', { text: 'mine' })) as { id: string };
  await world.settle();
  t.is(anna.figures().posts, 1);
  await anna.run('post.delete', { id });
  await world.settle();
  t.deepEqual(heard, [{ id, author: anna.id, hadPost: true }]);
  t.is(anna.figures().posts, 0);
});

test('other plugins may write, read, list, delete and look for posts', async (t) => {
  const { world, anna, ben } = await pair(t);
  const id = await anna.service((content) => content.create('by a plugin'));
  t.is((await anna.service((content) => content.get(id)))?.post.content, 'by a plugin');
  const ids = async (node: TestNode): Promise<string[][]> => {
    const pages = [await node.service((c) => c.feed()), await node.service((c) => c.list(anna.id, { limit: 1 }))];
    return pages.map(({ posts }) => posts.map((post) => post.id));
  };
  t.deepEqual(await ids(anna), [[id], [id]]);
  await ben.stop();
  world.disconnect(anna, ben);
  await ben.start();
  await world.connect(anna, ben);
  await ben.service((content) => content.sync(anna.id));
  t.deepEqual(await ids(ben), [[id], [id]]);
  await t.throwsAsync(
    ben.service((content) => content.remove(id)),
    { code: 'content/not-author' },
  );
  await anna.service((content) => content.remove(id));
  t.is(await anna.service((content) => content.get(id)), undefined);
  t.deepEqual(await ids(anna), [[], []]);
});
