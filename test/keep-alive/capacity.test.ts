import type { NodeId } from '../../kernel/index.ts';
import test from 'ava';
import { resolvePluginConfig } from '../../kernel/config/index.ts';
import { KeepAliveConfig, sessionsMax } from '../../plugins/keep-alive/config.ts';
import { keepAliveRequest } from '../../plugins/keep-alive/messages.ts';
import type { TestNode } from '../../kernel/testing/index.ts';
import { follow, know, quietNet } from '../presence/quiet-net.ts';
import { checks, explain, kinds, sees } from './world.ts';

/** Makes the connection of two nodes an interactive session, as a mesh without free slots does. */
function asSession(one: TestNode, other: TestNode): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const { id } of from.connections(to)) from.kernel.network.setKind(id, 'session');
  }
}

test('by default a desktop keeps 400 sessions and a phone 50, and settings only lower that (KEEP-07)', (t) => {
  const defaults = { profile: 'desktop', sessionCapacity: 1_000, ceiling: 400 } as const;
  t.deepEqual(resolvePluginConfig(KeepAliveConfig, undefined, 'keep-alive'), { ...defaults });
  t.is(sessionsMax(defaults), 400);
  t.is(sessionsMax({ ...defaults, sessionCapacity: 100 }), 50);
  t.is(sessionsMax({ ...defaults, profile: 'mobile' }), 50);
  t.is(sessionsMax({ ...defaults, profile: 'mobile', ceiling: 25 }), 25);
  t.is(sessionsMax({ ...defaults, profile: 'mobile', sessionCapacity: 40 }), 20);
});

const ask = (from: TestNode, host: TestNode, target: NodeId) =>
  from.send(host, keepAliveRequest, { target, keep: true });

test('keep-alives take half of the session capacity and no more, whoever asks (KEEP-06)', async (t) => {
  const net = quietNet(t, 'keep-alive');
  const [host, ...askers] = await net.start('host', 'a', 'b', 'c', 'd');
  await host.configure('keep-alive', { sessionCapacity: 4 });
  const answers: boolean[] = [];
  for (const asker of askers) {
    await asker.run('peer.connect', { target: host.connectString });
    asSession(asker, host);
    answers.push((await ask(asker, host, host.id)).accepted);
  }
  t.deepEqual(answers, [true, true, false, false]);
  t.like(await explain(host), { sessions: 2, sessions_max: 2 });
  // Asking again costs no second place.
  t.true((await ask(askers[0], host, host.id)).accepted);
  t.is((await explain(host)).sessions, 2);
});

test('a full node names one who has the target within three hops, and the asker goes there (KEEP-09)', async (t) => {
  const net = quietNet(t, 'keep-alive');
  const [anna, full, other, bert] = await net.start('anna', 'full', 'other', 'bert');
  await full.configure('keep-alive', { ceiling: 0 });
  await know(full, {
    reach: { [bert.id]: { layer: 'n2', n2Reporters: [other.id], n3Reporters: [] } },
    addresses: { [other.id]: [other.address] },
  });
  await know(bert, { nplus10: [bert.id, full.id] });
  await bert.reload('presence');
  await follow(net, anna, bert);
  net.memory.breakConnections(anna.host, bert.host);
  net.memory.setLink(anna.host, bert.host, { dialFailure: 1 });
  await sees(anna, { id: full.id, address: full.address });
  await anna.run('peer.connect', { target: full.connectString });
  asSession(anna, full);
  await checks(net, 4);
  const [contact] = (await explain(anna)).contacts;
  t.deepEqual(
    contact?.tries.map(({ host, result }) => [host, result]),
    [
      [full.id, 'refused'],
      [other.id, 'accepted'],
    ],
  );
  t.is(contact?.host, other.id);
  t.deepEqual(kinds(anna, other), ['keep-alive']);
});

test('redirects in a circle, and to invented or inner addresses, end after four nodes at most', async (t) => {
  const net = quietNet(t, 'keep-alive');
  const [anna, liar, accomplice, bert] = await net.start('anna', 'liar', 'accomplice', 'bert');
  for (const [one, next, addresses] of [
    [liar, accomplice, [accomplice.address]],
    [accomplice, liar, [liar.address]],
  ] as const) {
    await one.configure('keep-alive', { ceiling: 0 });
    await know(one, {
      reach: { [bert.id]: { layer: 'n2', n2Reporters: [next.id, '7'.repeat(64)], n3Reporters: [] } },
      addresses: { [next.id]: addresses, ['7'.repeat(64)]: ['10.0.0.1:22', '5.6.7.200:80'] },
    });
  }
  await know(bert, { nplus10: [bert.id, liar.id] });
  await bert.reload('presence');
  await follow(net, anna, bert);
  net.memory.breakConnections(anna.host, bert.host);
  net.memory.setLink(anna.host, bert.host, { dialFailure: 1 });
  await anna.run('peer.connect', { target: liar.connectString });
  asSession(anna, liar);
  const before = net.dials.length;
  await checks(net, 6 * 60);
  const { contacts, sessions } = await explain(anna);
  t.is(sessions, 0);
  t.true((contacts[0]?.tries.length ?? 9) <= 4);
  const dials = net.dials.slice(before).filter(({ from }) => from === anna.id);
  t.deepEqual(
    dials.filter(({ to }) => to.includes('10.0.0.1')),
    [],
  );
  const strangers = dials.filter(({ to }) => to.includes('5.6.7.200')).length;
  t.true(strangers <= 6, `${strangers} dials of one stranger in six hours`);
});

test('near the ceiling the followee stays and the follower gives way (KEEP-08)', async (t) => {
  const net = quietNet(t, 'keep-alive');
  const [anna, fan, star, nearFan, nearStar] = await net.start('anna', 'fan', 'star', 'nf', 'ns');
  await anna.configure('keep-alive', { ceiling: 1 });
  await know(fan, { nplus10: [fan.id, nearFan.id] });
  await know(star, { nplus10: [star.id, nearStar.id] });
  await fan.reload('presence');
  await star.reload('presence');
  await follow(net, fan, anna);
  for (const near of [nearFan, nearStar]) await sees(anna, near);
  const part = async (other: TestNode): Promise<void> => {
    net.memory.breakConnections(anna.host, other.host);
    net.memory.breakConnections(other.host, anna.host);
    net.memory.setLink(anna.host, other.host, { dialFailure: 1 });
    await net.advance(10);
  };
  await part(fan);
  await checks(net, 4);
  t.like((await explain(anna)).contacts[0], { node_id: fan.id, reason: 'audience', host: nearFan.id });
  await follow(net, anna, star);
  await part(star);
  await checks(net, 5);
  const { contacts, sessions } = await explain(anna);
  t.is(sessions, 1);
  t.like(contacts[0], { node_id: star.id, reason: 'follow', host: nearStar.id });
  t.is(contacts[1]?.host, undefined);
});
