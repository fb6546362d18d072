import test from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { World } from './world.ts';
import type { TestNode } from './world.ts';

const near = (letter: string): NodeId => letter.repeat(64) as NodeId;

async function publish(node: TestNode, text: string): Promise<string> {
  return ((await node.run('post.create', { text })) as { id: string }).id;
}

async function header(reader: TestNode, id: string): Promise<readonly string[]> {
  await reader.world.settle();
  return ((await reader.run('post.show', { id })) as { nplus10: string[] }).nplus10;
}

test('each post names the author and its preferred peers of that moment, and readers see them (NPT-04)', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  anna.preferred = [near('a'), near('b')];
  const first = await publish(anna, 'with two near');
  anna.preferred = [near('b'), near('c'), near('d')];
  const second = await publish(anna, 'with three near');
  t.deepEqual(await header(ben, first), [anna.id, near('a'), near('b')]);
  t.deepEqual(await header(ben, second), [anna.id, near('b'), near('c'), near('d')]);
});

test('a post written while mesh is off names those of before', async (t) => {
  const world = new World(t);
  const anna = await world.node('anna');
  await anna.kit.disable('mesh');
  t.deepEqual(await header(anna, await publish(anna, 'never had a mesh')), [anna.id]);
  await anna.kit.enable('mesh');
  anna.preferred = [near('a')];
  await publish(anna, 'mesh is on');
  await anna.kit.disable('mesh');
  anna.preferred = [];
  t.deepEqual(await header(anna, await publish(anna, 'mesh is off')), [anna.id, near('a')]);
});

test('posts written at once keep their order', async (t) => {
  const world = new World(t);
  const anna = await world.node('anna');
  await Promise.all(Array.from({ length: 20 }, (_, n) => anna.run('post.create', { text: `${n}` })));
  t.deepEqual(
    await anna.texts(),
    Array.from({ length: 20 }, (_, n) => `${19 - n}`),
  );
});
