import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import type { ExecutionContext } from 'ava';
import { featuresNotice, initialExchange, sectionsNotice } from '../../plugins/peers/messages.ts';
import type { Hello } from '../../plugins/peers/messages.ts';
import { meshCounters, meshNet, peerIds, peersOf } from './mesh-net.ts';

/** A node under attack with one good peer, and a node without plugins whose frames the test makes. */
async function siege(t: ExecutionContext) {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  const mallory = await net.add({ name: 'mallory', builtin: [] });
  await anna.run('peer.connect', { target: bert.connectString });
  await net.wait(mallory.kernel.network.dial({ nodeId: anna.id, addresses: [anna.address] }));
  const body: Hello = {
    protocol: 1,
    node_id: mallory.id,
    device_id: mallory.kernel.self.deviceId,
    features: ['section:profile', 'section:following', featuresNotice.name, sectionsNotice.name],
    features_revision: 1,
    nplus10: [],
    nat_type: 'unknown',
    addresses: [],
    your_observed_addr: '127.0.0.1:1',
    sections: {},
  };
  const ask = (change: Record<string, unknown> = {}) =>
    net.wait(mallory.kernel.network.sendTo(anna.id, initialExchange, { ...body, ...change }));
  /** What must hold after every attack. */
  const unharmed = async (peers: TestNode[] = [bert]) => {
    await net.advance(1_000);
    t.deepEqual(
      await peerIds(anna),
      peers.map(({ id }) => id),
    );
    t.is(anna.kernel.host.list().find(({ name }) => name === 'mesh')?.state, 'active');
  };
  return { net, anna, bert, mallory, ask, unharmed };
}

test('a well-formed handshake from a foreign implementation makes a peer', async (t) => {
  const { anna, bert, mallory, ask, unharmed } = await siege(t);
  const answer = await ask();
  t.is(answer.node_id, anna.id);
  t.is(answer.your_observed_addr, mallory.address);
  await unharmed([bert, mallory]);
});

test('a handshake that names another node closes the connection for misbehaviour', async (t) => {
  const { anna, bert, mallory, ask, unharmed } = await siege(t);
  await t.throwsAsync(ask({ node_id: bert.id }));
  await unharmed();
  t.is(meshCounters(anna)['exchange-failed.mesh/wrong-sender'], 1);
  t.is(mallory.connections().length, 0);
});

test('a protocol too old closes the connection as incompatible', async (t) => {
  const { anna, mallory, ask, unharmed } = await siege(t);
  await t.throwsAsync(ask({ protocol: 0 }));
  await unharmed();
  t.is(meshCounters(anna)['exchange-failed.mesh/protocol-mismatch'], 1);
  t.is(mallory.connections().length, 0);
});

test('a peer that owes the handshake is closed after a while', async (t) => {
  const { net, anna, mallory, unharmed } = await siege(t);
  await net.advance(30_000);
  await unharmed();
  t.is(meshCounters(anna)['exchange-failed.mesh/exchange-failed'], 1);
  t.is(mallory.connections().length, 0);
});

for (const [what, change] of Object.entries({
  'a missing field': { features: undefined },
  'a wrong type': { features: 'all' },
  'an upper-case id': { node_id: 'F'.repeat(64) },
  'too many features': { features: Array.from({ length: 600 }, (_, at) => `f${at}`) },
  'too long an address': { addresses: ['a'.repeat(400)] },
  'too many parts': { sections: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`s${at}`, 1])) },
  'a fractional revision': { features_revision: 0.5 },
  'a negative protocol': { protocol: -1 },
})) {
  test(`a handshake with ${what} is refused`, async (t) => {
    const { anna, mallory, ask, unharmed } = await siege(t);
    await t.throwsAsync(ask(change));
    await unharmed();
    t.false((await peerIds(anna)).includes(mallory.id));
  });
}

test('bad parts cost only themselves', async (t) => {
  const { anna, bert, mallory, ask, unharmed } = await siege(t);
  await ask({
    sections: {
      profile: { author: bert.id, name: 'Evil', bio: '', timestamp_ms: 1, signature: '0'.repeat(128) },
      following: 7,
      ghost: {},
    },
  });
  await unharmed([bert, mallory]);
  t.is(meshCounters(anna)['section-refused.profile'], 1);
  t.is(meshCounters(anna)['section-refused.following'], 1);
  t.is(meshCounters(anna)['section-not-offered'], 1);
  await t.throwsAsync(anna.run('profile.show', { node_id: bert.id }), { code: 'social/no-profile' });
});

test('addresses that are none, or that a stranger has no business to tell, are not stored', async (t) => {
  const { anna, mallory, ask } = await siege(t);
  const refused = ['1.2.3.4:99999', 'rm -rf:1', '', '[::1]:7', '127.0.0.1:7', '10.0.0.1:7', '224.0.0.1:7', '0.0.0.0:7'];
  await ask({ addresses: [...refused.slice(0, 5), '8.8.8.8:53'] });
  await ask({ addresses: refused.slice(5) });
  const { addresses } = await anna.run<{ addresses: string[] }>('peer.explain', { node_id: mallory.id });
  t.deepEqual(addresses, [mallory.address, '8.8.8.8:53']);
});

test('notices before the handshake are not heard', async (t) => {
  const { anna, mallory, net, unharmed } = await siege(t);
  const { network } = mallory.kernel;
  await net.wait(network.sendTo(anna.id, sectionsNotice, { sections: { following: { following: true } } }));
  await net.wait(network.sendTo(anna.id, featuresNotice, { features: ['x'], revision: 9 }));
  await unharmed();
  t.is(meshCounters(anna)['sections-before-exchange'], 1);
  t.deepEqual(await anna.run('follower.list'), { followers: [], total: 0 });
});

test('an older revision of the features does not undo a newer one', async (t) => {
  const { anna, mallory, net, ask } = await siege(t);
  await ask();
  const { network } = mallory.kernel;
  await net.wait(network.sendTo(anna.id, featuresNotice, { features: ['new'], revision: 5 }));
  await net.wait(network.sendTo(anna.id, featuresNotice, { features: ['old'], revision: 4 }));
  await net.advance(10);
  t.deepEqual((await peersOf(anna)).find(({ node_id }) => node_id === mallory.id)?.features, ['new']);
});

test('a flood of notices is cut off by the budget', async (t) => {
  const { anna, bert, mallory, net, ask, unharmed } = await siege(t);
  await ask();
  const { network } = mallory.kernel;
  const flood = Array.from({ length: 200 }, (_, at) =>
    network.sendTo(anna.id, featuresNotice, { features: [`f${at}`], revision: at + 2 }).catch(() => undefined),
  );
  await net.wait(Promise.all(flood));
  const [feature] = (await peersOf(anna)).find(({ node_id }) => node_id === mallory.id)?.features ?? [];
  const heard = Number(feature?.slice(1));
  t.true(heard >= 40 && heard < 100, `${heard} of 200 heard`);
  await unharmed([bert, mallory]);
});
