import test from 'ava';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import { MINUTE_MS } from './quiet-net.ts';

const BUILTIN = ['peers', 'routing', 'lookup', 'mesh', 'social', 'presence'];

interface Shown {
  relation: string;
  online: boolean;
  reach: string;
  nplus10: string[];
}
const shown = (node: TestNode, other: TestNode): Promise<Shown> => node.run('follow.show', { node_id: other.id });

test('what a node signed of itself before it was a contact was forgotten when it became one', async (t) => {
  const net = new TestNetwork({ t, builtin: BUILTIN });
  const [anna, bert] = await net.start('anna', 'bert');
  await net.connect(anna, bert);
  await anna.run('follow.add', { target: bert.id });
  await net.advance(100);
  t.deepEqual((await shown(anna, bert)).nplus10, [bert.id]);
  // Bert heard of it as little: anna was no contact when they met.
  t.deepEqual((await shown(bert, anna)).nplus10, [anna.id]);
});

test('a contact that died while social and peers were off was online for ever', async (t) => {
  const net = new TestNetwork({ t, builtin: BUILTIN });
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('follow.add', { target: bert.connectString });
  await net.advance(1_000);
  t.like(await shown(anna, bert), { online: true, reach: 'direct' });
  await anna.disable('social');
  await anna.disable('peers');
  await net.kill(bert);
  await anna.enable('peers');
  await net.advance(2 * MINUTE_MS);
  await anna.enable('social');
  await net.advance(1_000);
  t.like(await shown(anna, bert), { online: false, reach: 'none' });
  t.is(anna.counters('presence').failures, undefined);
});

test('who ceased to follow while presence was off stayed in the audience', async (t) => {
  const net = new TestNetwork({ t, builtin: BUILTIN });
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('follow.add', { target: anna.connectString });
  await net.advance(1_000);
  t.is((await shown(anna, bert)).relation, 'audience');
  await anna.disable('presence');
  await bert.run('follow.remove', { node_id: anna.id });
  await net.advance(1_000);
  await anna.enable('presence');
  await net.advance(1_000);
  await t.throwsAsync(shown(anna, bert), { code: 'presence/no-contact' });
});
