import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connectionClosed, connectionOpened } from '../../kernel/index.ts';
import { messageFrame, rawFrame, type TestNetworkOptions, testNetwork } from '../../kernel/testing/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { greeted, GREETER, ping } from './greeter/api.ts';

const GREETERS = new URL('./greeter', import.meta.url);

const greeters = (t: ExecutionContext, options: TestNetworkOptions = {}) =>
  testNetwork({ plugins: [GREETERS], t, ...options });

test('nodes run the plugins they are given and talk over the network', async (t) => {
  const net = await greeters(t, { nodes: 3, link: { latencyMs: 20 } });
  await net.connect(0, 1);
  const [a, b] = [net.node(0), net.node(1)];
  t.deepEqual(await a.run('greeter.ping', { peer: b.id }), { text: 'hello, you' });
  t.deepEqual(await a.send(b, ping, { text: 'Ada' }), { text: 'hello, Ada' });
  t.deepEqual(b.events(greeted), [{ peer: a.id }, { peer: a.id }]);
  t.is(await b.service(GREETER, (greeter) => greeter.count()), 2);
  t.is(net.node(2).connections().length, 0);
  await t.throwsAsync(a.run('greeter.ping', { peer: net.node(2).id }), { code: 'wire/not-connected' });
});

test('a plugin brings what it needs, and no more', async (t) => {
  const path = join(temporaryDirectory(t), 'needy.ts');
  writeFileSync(
    path,
    `import { definePlugin } from 'itsgoin';
     import { SOCIAL } from 'itsgoin/plugins/social';
     export default definePlugin({
       name: 'needy', version: '1.0.0', kernel: '^1', about: 'Needs', inject: { social: SOCIAL }, setup: () => ({}),
     });`,
  );
  const net = await testNetwork({ nodes: 1, plugins: [path], t });
  const names = net
    .node(0)
    .kernel.host.list()
    .map(({ name }) => name);
  t.true(names.includes('needy') && names.includes('social'));
  t.false(names.includes('content'));
});

test('everything that ships with itsgoin runs', async (t) => {
  const net = await testNetwork({ nodes: 2, builtin: 'all', t });
  await net.connect(0, 1);
  const [a, b] = [net.node(0), net.node(1)];
  await a.run('follow.add', { target: b.connectString });
  await b.run('post.create', { text: 'first words' });
  const { posts } = (await net.until(async () => {
    const feed = await a.run<{ posts: { text: string }[] }>('feed.list');
    return feed.posts.length > 0 ? feed : undefined;
  })) ?? { posts: [] };
  t.like(posts, [{ text: 'first words' }]);
});

test('the same seed makes the same identities, another one others', async (t) => {
  const [one, again, other] = await Promise.all([
    greeters(t, { nodes: 1, seed: 'a' }),
    greeters(t, { nodes: 1, seed: 'a' }),
    greeters(t, { nodes: 1, seed: 'b' }),
  ]);
  t.is(one.node(0).id, again.node(0).id);
  t.not(one.node(0).id, other.node(0).id);
});

test('a reload keeps the state, new settings take effect, a plugin goes off and on', async (t) => {
  const net = await greeters(t);
  await net.connect(0, 1);
  const [a, b] = [net.node(0), net.node(1)];
  await a.send(b, ping, { text: 'x' });
  t.is((await b.reload('greeter')).outcome, 'committed');
  t.is(await b.service(GREETER, (greeter) => greeter.count()), 1);
  await b.configure('greeter', { greeting: 'hi' });
  t.deepEqual(await a.send(b, ping, { text: 'x' }), { text: 'hi, x' });
  await b.disable('greeter');
  await t.throwsAsync(a.send(b, ping, { text: 'x' }), { code: 'wire/unsupported' });
  await t.throwsAsync(
    b.service(GREETER, (greeter) => greeter.count()),
    { code: 'lifecycle/service-off' },
  );
  await b.enable('greeter');
  t.deepEqual(await a.send(b, ping, { text: 'x' }), { text: 'hi, x' });
});

test('a cut lasts until it is healed, and ends what was open', async (t) => {
  const net = await greeters(t, { nodes: 3 });
  await net.connect(0, 1);
  await net.connect(0, 2);
  net.cut(0, 1);
  await net.until(() => net.node(0).connections(net.node(1)).length === 0);
  t.is(net.node(0).events(connectionClosed)[0]?.reason, 'idle-timeout');
  t.is(net.node(0).connections(net.node(2)).length, 1);
  await t.throwsAsync(net.connect(0, 1), { code: 'transport/dial-timeout' });
  net.heal();
  await net.connect(0, 1);
  t.is(net.node(0).connections(net.node(1)).length, 1);
});

test('groups hear only their own', async (t) => {
  const net = await greeters(t, { nodes: 3 });
  net.partition([0, 1], [2]);
  await net.connect(0, 1);
  await t.throwsAsync(net.connect(0, 2), { code: 'transport/dial-timeout' });
});

test('latency and loss are those of the link', async (t) => {
  const net = await greeters(t, { link: { latencyMs: 50 } });
  await net.connect(0, 1);
  const [a, b] = [net.node(0), net.node(1)];
  const startMs = net.nowMs;
  await a.send(b, ping, { text: 'x' });
  t.is(net.nowMs - startMs, 100);
  net.link({ latencyMs: 5 }, [0, 1]);
  const nearMs = net.nowMs;
  await a.send(b, ping, { text: 'x' });
  t.is(net.nowMs - nearMs, 10);
  net.link({ dialFailure: 1 }, [0, 1]);
  await net.restart(1);
  await t.throwsAsync(net.connect(0, 1), { code: 'transport/dial-timeout' });
});

test('a killed node says no word, and starts again with its keys, elsewhere if asked', async (t) => {
  const net = await greeters(t);
  await net.connect(0, 1);
  const { id, address } = net.node(1);
  await net.kill(1);
  t.is(net.node(0).connections().length, 1);
  t.throws(() => net.node(1).kernel, { code: 'testing/node-off' });
  await net.until(() => net.node(0).connections().length === 0);
  await net.restart(1);
  t.is(net.node(1).id, id);
  t.is(net.node(1).address, address);
  await net.connect(0, 1);
  await net.restart(1, { host: '99.9.9.9' });
  t.is(net.node(1).address, '99.9.9.9:4433');
  await net.connect(0, 1);
  t.is(net.node(1).events(connectionOpened).length, 1);
});

test('a hostile peer gets through the handshake, and its bytes reach nobody else', async (t) => {
  const net = await greeters(t);
  await net.connect(0, 1);
  const mallory = await net.hostilePeer();
  const line = await mallory.connect(net.node(1));
  t.is(net.node(1).kernel.network.connectionsOf(mallory.id).length, 1);
  t.like(await line.ask(messageFrame(ping, { text: 'Eve' })), { body: { body: { text: 'hello, Eve' } } });
  t.like(await line.ask(messageFrame(ping, { text: 7 })), { body: { code: 'malformed' } });
  t.deepEqual(await line.ask(rawFrame(0x42, '{}')), { code: 0xf1, body: { code: 'unsupported' } });
  t.like(await line.ask(rawFrame(0xf0, 'no json')), { body: { code: 'malformed' } });
  const left = await line.open('bi');
  left.write(Uint8Array.of(0xf0), false);
  await net.advance(20_000);
  for (let frame = 0; frame < 150; frame++) await line.tell(rawFrame(0xf0, 'no json'));
  await net.until(() => line.closed);
  t.is(line.closed?.reason, 'misbehaviour');
  t.deepEqual(await net.node(0).send(net.node(1), ping, { text: 'Ada' }), { text: 'hello, Ada' });
});

test('errors keep their code and name the node and the time', async (t) => {
  const net = await greeters(t);
  await net.advance(980);
  const error = await t.throwsAsync(net.node(1).run('greeter.ping', { peer: net.node(0).id }));
  t.like(error, { code: 'wire/not-connected' });
  t.regex(error?.message ?? '', /^node 1 at 1000 ms, greeter\.ping: /);
  await t.throwsAsync(
    net.until(() => false, { withinMs: 500, what: 'the impossible' }),
    {
      code: 'testing/not-in-time',
      message: 'the impossible did not happen within 500 ms; it is 1500 ms',
    },
  );
  await t.throwsAsync(net.node(0).run('greeter.wait'), {
    code: 'testing/never',
    message: /^greeter\.wait of node 0 never happens: at 1500 ms/,
  });
  t.throws(() => net.node(7), { code: 'testing/no-such-node' });
  await t.throwsAsync(net.start('ada', 'ada'), { code: 'testing/name-taken' });
  await t.throwsAsync(testNetwork({ builtin: ['nothing'] }), { code: 'testing/no-such-plugin' });
  await t.throwsAsync(testNetwork({ plugins: ['./no/such/plugin'] }), { code: 'lifecycle/load-failed' });
  await t.throwsAsync(greeters(t, { config: { greeter: { greting: 'x' } } }), {
    code: 'testing/not-active',
    message: /node 0: plugin greeter is failed: .*greting/,
  });
});

test('several may wait at once', async (t) => {
  const net = await greeters(t, { nodes: 3, link: { latencyMs: 30 } });
  await Promise.all([net.connect(0, 1), net.connect(1, 2), net.advance(500)]);
  const [a, b, c] = net.nodes;
  if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes');
  const startMs = net.nowMs;
  await Promise.all([a.send(b, ping, { text: 'x' }), b.send(c, ping, { text: 'x' }), c.send(b, ping, { text: 'x' })]);
  t.is(net.nowMs - startMs, 60);
});

test('a stopped network leaves no files', async (t) => {
  const net = await greeters(t);
  const { dataDir } = net.node(0).machine;
  t.true(existsSync(dataDir));
  await net.stop();
  await net.stop();
  t.false(existsSync(dataDir));
});
