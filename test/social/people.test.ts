import test from 'ava';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import { CORE } from '../mesh/mesh-net.ts';

interface FollowView {
  node_id: string;
  display_name?: string;
  online: boolean;
  last_online_ms?: number;
  friend: boolean;
}

const follows = async (node: TestNode) => (await node.run<{ follows: FollowView[] }>('follow.list')).follows;
const peerIds = async (node: TestNode): Promise<string[]> =>
  (await node.run<{ peers: { node_id: string }[] }>('peer.list')).peers.map(({ node_id }) => node_id);
const followers = async (node: TestNode) =>
  (await node.run<{ followers: { node_id: string; following: boolean }[] }>('follower.list')).followers;

test('a changed profile reaches every connected peer at once', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  await bert.run('peer.connect', { target: anna.connectString });
  await carl.run('peer.connect', { target: anna.connectString });
  await anna.run('profile.set', { name: 'Anna', bio: 'Hej' });
  await anna.run('profile.set', { bio: 'Hej då' });
  await net.advance(10);
  for (const node of [bert, carl]) {
    t.like(await node.run('profile.show', { node_id: anna.id }), { name: 'Anna', bio: 'Hej då' });
  }
});

test('a profile changed while a peer was away comes with the next handshake', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await bert.run('peer.connect', { target: anna.connectString });
  await bert.stop();
  await anna.run('profile.set', { name: 'Anna' });
  await net.restart(bert);
  await net.advance(2_000);
  t.like(await bert.run('profile.show', { node_id: anna.id }), { name: 'Anna' });
});

test('the profile survives a restart, and later changes win though the clock went back', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const anna = await net.add({ name: 'anna' });
  const first = await anna.run<{ timestamp_ms: number }>('profile.set', { name: 'Anna' });
  await net.restart(anna);
  const second = await anna.run<{ name: string; timestamp_ms: number }>('profile.set', { bio: 'Hej' });
  t.is(second.name, 'Anna');
  t.true(second.timestamp_ms > first.timestamp_ms);
});

test('bad profiles and ids are refused with a code', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const anna = await net.add({ name: 'anna' });
  await t.throwsAsync(anna.run('profile.set', {}), { code: 'social/empty-change' });
  await t.throwsAsync(anna.run('profile.set', { name: 'x'.repeat(65) }), { code: 'social/bad-profile' });
  await t.throwsAsync(anna.run('profile.show'), { code: 'social/no-profile' });
  await t.throwsAsync(anna.run('follow.add', { target: 'x' }), { code: 'kit/bad-node-id' });
  await t.throwsAsync(anna.run('follow.add', { target: 'x@y' }), { code: 'mesh/bad-connect-string' });
  await t.throwsAsync(anna.run('follow.add', { target: anna.id }), { code: 'social/own-node' });
  await t.throwsAsync(anna.run('follow.remove', { node_id: 'f'.repeat(64) }), { code: 'social/not-following' });
});

test('following by connect string connects, tells the followee, and makes friends when it is mutual', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const [anna, bert] = await net.start('anna', 'bert');
  t.like(await anna.run('follow.add', { target: bert.connectString }), { node_id: bert.id, connected: true });
  await net.advance(10);
  t.like(await follows(anna), [{ node_id: bert.id, online: true, friend: false }]);
  t.like(await followers(bert), [{ node_id: anna.id, following: false }]);
  t.deepEqual(await followers(anna), []);
  await bert.run('follow.add', { target: anna.id });
  await net.advance(10);
  t.true((await follows(anna))[0]?.friend);
  t.true((await follows(bert))[0]?.friend);
  await bert.run('follow.remove', { node_id: anna.id });
  await net.advance(10);
  t.false((await follows(anna))[0]?.friend);
  t.deepEqual(await followers(anna), []);
});

test('whom the user followed by id was looked for at the next minute only', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  await bert.run('peer.connect', { target: anna.connectString });
  await bert.run('peer.connect', { target: carl.connectString });
  await net.advance(1_000);
  await anna.run('peer.disconnect', { node_id: carl.id }).catch(() => undefined);
  const startedMs = net.clock.now();
  t.like(await anna.run('follow.add', { target: carl.id }), { node_id: carl.id, connected: true });
  t.true(net.clock.now() - startedMs < 5_000, 'at once, also of one sent away before');
  const absent = 'f'.repeat(64);
  t.like(await anna.run('follow.add', { target: absent }), { connected: false, problem: 'resolve/unreachable' });
});

test('nobody but the followee learns of a follow', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  await anna.run('follow.add', { target: bert.connectString });
  await anna.run('peer.connect', { target: carl.connectString });
  await net.advance(1_000);
  t.deepEqual(await followers(carl), []);
  t.is((await followers(bert)).length, 1);
});

test('an unfollow while the followee was away is heard with the next handshake', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('follow.add', { target: bert.connectString });
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.stop();
  await anna.run('follow.remove', { node_id: bert.id });
  await net.restart(bert);
  await net.advance(90_000);
  t.deepEqual(await peerIds(bert), [anna.id]);
  t.deepEqual(await followers(bert), []);
});

test('a followee that cannot be reached is followed all the same, and reached when it is there', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await bert.stop();
  const added = await anna.run<{ connected: boolean; problem: string }>('follow.add', { target: bert.connectString });
  t.deepEqual(added as object, { node_id: bert.id, connected: false, problem: 'transport/dial-timeout' });
  t.like(await follows(anna), [{ node_id: bert.id, online: false, last_online_ms: undefined }]);
  const back = await net.restart(bert);
  await net.advance(90_000);
  t.deepEqual(await peerIds(back), [anna.id]);
  t.true((await follows(anna))[0]?.online);
});

test('a followee is redialled after a restart, and its last time online is known', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('follow.add', { target: bert.connectString });
  await net.advance(60_000);
  await bert.stop();
  await net.advance(60_000);
  await net.restart(anna);
  const [away] = await follows(anna);
  t.false(away?.online);
  t.true(Math.abs((away?.last_online_ms ?? 0) - (net.clock.now() - 60_000)) < 2_000);
  await net.restart(bert);
  await net.advance(90_000);
  t.true((await follows(anna))[0]?.online);
});

test('peers switched off does not take social down', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'] });
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.disable('peers');
  t.deepEqual(await anna.run('follow.add', { target: bert.connectString }), {
    node_id: bert.id,
    connected: false,
    problem: 'peers is off',
  } as never);
  t.is((await follows(anna))[0]?.online, false);
  await anna.enable('peers');
  await net.advance(5_000);
  t.is((await follows(anna))[0]?.online, true);
});
