import test from 'ava';
import { testNetwork } from '../../kernel/testing/index.ts';

const PLUGIN = new URL('./resources', import.meta.url);

test('a plugin is injected the sealer: sealed for one node, opened by that one alone', async (t) => {
  const net = await testNetwork({ nodes: 3, plugins: [PLUGIN], t });
  const [a, b, c] = [net.node(0), net.node(1), net.node(2)];
  const { text } = await a.run<{ text: string }>('resources.seal', { to: b.id, text: 'for b' });
  t.deepEqual(await b.run('resources.open', { text }), { text: 'for b' });
  t.deepEqual(await c.run('resources.open', { text }), { text: '' });
  await t.throwsAsync(a.run('resources.seal', { to: '00'.repeat(32), text: 'x' }), { code: 'identity/bad-public-key' });
});

test('a plugin is injected blob files, which outlive its reload and a restart', async (t) => {
  const net = await testNetwork({ nodes: 2, plugins: [PLUGIN], t });
  const a = net.node(0);
  const { text: cid } = await a.run<{ text: string }>('resources.store', { text: 'kept' });
  t.is((await a.reload('resources')).outcome, 'committed');
  t.deepEqual(await a.run('resources.load', { text: cid }), { text: 'kept' });
  await net.restart(0);
  t.deepEqual(await net.node(0).run('resources.load', { text: cid }), { text: 'kept' });
  await t.throwsAsync(net.node(1).run('resources.load', { text: cid }), { code: 'store/no-blob' });
});

test('a plugin is injected sockets: its datagrams arrive, also after a reload of both sides', async (t) => {
  const net = await testNetwork({ nodes: 2, plugins: [PLUGIN], t });
  const [a, b] = [net.node(0), net.node(1)];
  const say = async (text: string, more: Record<string, unknown> = {}) => {
    t.deepEqual(await a.run('resources.send', { to: b.address, text, ...more }), { text: 'sent' });
    await net.advance(10);
  };
  await say('1 one');
  t.deepEqual(await b.run('resources.heard'), { texts: [`1 one ${a.address}`] });
  for (const node of [a, b]) t.is((await node.reload('resources')).outcome, 'committed');
  await say('1 two');
  await say('1 three', { further: true });
  const { texts } = await b.run<{ texts: string[] }>('resources.heard');
  const { further } = a.inspect('resources').diagnostics as { further: number[] };
  t.deepEqual(texts, [`1 two ${a.address}`, `1 three ${a.address.replace(/:\d+$/, '')}:${further[0]}`]);
});

test('what a generation has begun with the blob files ends with it', async (t) => {
  const net = await testNetwork({ nodes: 2, plugins: [PLUGIN], t });
  const a = net.node(0);
  const waiting = t.throwsAsync(a.run('resources.wait'));
  t.is((await a.reload('resources')).outcome, 'committed');
  await waiting;
  t.is((await a.disable('resources')).outcome, 'disabled');
});
