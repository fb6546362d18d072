import test from 'ava';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { anchorNet, anchorNode, dialledBy, explain, NO_GROWTH, peerIds } from './anchor-net.ts';
import { CORE } from '../mesh/mesh-net.ts';

const BROKEN_SOCIAL = new URL('./broken-social', import.meta.url);
const MINUTE_MS = 60_000;
const config = NO_GROWTH;

/** A node with profiles that connects to nobody by itself. */
const person = (net: TestNetwork, name: string, more: { host?: string } = {}) =>
  anchorNode(net, name, { config, builtin: [...CORE, 'anchors', 'social', 'presence'], ...more });

/** bert has met anna and knows her profile; she has moved since, and only her anchor knows where to. */
async function moved(net: TestNetwork, anchors: (anchor: TestNode) => string[]) {
  const anchor = await anchorNode(net, 'anchor', { config });
  const [anna, bert] = [await person(net, 'anna'), await person(net, 'bert')];
  await anna.run('profile.set', { name: 'Anna', anchors: anchors(anchor) });
  await bert.run('peer.connect', { target: anna.connectString });
  // Somebody who knows nobody, so that bert is not alone and looks for no anchors by himself.
  await bert.run('peer.connect', { target: (await anchorNode(net, 'other', { config })).connectString });
  await net.advance(1_000);
  await anna.stop();
  // She remembers where bert is: his firewall lets nobody in.
  net.memory.route = (from, to) => (to.host === bert.host ? undefined : { to, seenAs: from });
  await net.restart(anna, { host: '5.9.9.9' });
  await anna.run('peer.connect', { target: anchor.connectString });
  await net.advance(1_000);
  return { anchor, anna, bert };
}

const find = (from: TestNode, target: string) => from.run('follow.add', { target });

interface Resolutions {
  resolutions: { result: string; steps: { step: string; result: string; reason: string }[] }[];
}

test('ANCH-15: a contact whom nobody around knows is reached through the anchor in its profile', async (t) => {
  const net = anchorNet(t);
  const { anchor, anna, bert } = await moved(net, (at) => [at.connectString]);
  t.false((await peerIds(bert)).includes(anna.id));
  await find(bert, anna.id);
  await net.advance(3 * MINUTE_MS);
  t.true((await peerIds(bert)).includes(anna.id));
  const { resolutions } = await bert.run<Resolutions>('peer.explain', { node_id: anna.id });
  t.true(
    resolutions.some(({ result }) => result === 'profile-anchors'),
    JSON.stringify(resolutions),
  );
  t.true(dialledBy(net, bert).includes(anchor.host));
  t.false((await peerIds(bert)).includes(anchor.id), 'being asked earns the anchor neither a slot nor a connection');
});

test('without an anchor in the profile the same contact is not found', async (t) => {
  const net = anchorNet(t);
  const { anna, bert } = await moved(net, () => []);
  await find(bert, anna.id);
  await net.advance(3 * MINUTE_MS);
  t.false((await peerIds(bert)).includes(anna.id));
});

test('ANCH-15: a node that knows no other anchor asks its own, then those of people it follows', async (t) => {
  const net = anchorNet(t);
  const [mine, hers] = [await anchorNode(net, 'mine', { config }), await anchorNode(net, 'hers', { config })];
  const [anna, bert] = [await person(net, 'anna'), await person(net, 'bert')];
  await anna.run('profile.set', { name: 'Anna', anchors: [hers.connectString] });
  await bert.run('follow.add', { target: anna.connectString });
  await net.advance(1_000);
  await bert.run('profile.set', { anchors: [mine.connectString] });
  await mine.stop();
  await anna.stop();
  await net.advance(2 * MINUTE_MS);
  t.deepEqual(await peerIds(bert), [hers.id]);
  const tried = (await explain(bert)).rejoins[0]?.steps.map(({ node_id }) => node_id);
  t.deepEqual(tried, [mine.id, hers.id]);
});

test('neither a social that fails nor an anchor that cannot be read ends the search for anchors', async (t) => {
  const net = anchorNet(t);
  const [anchor, first] = [await anchorNode(net, 'anchor', { config }), await anchorNode(net, 'first', { config })];
  const bert = await anchorNode(net, 'bert', { config, plugins: [BROKEN_SOCIAL] });
  await bert.run('peer.connect', { target: first.connectString });
  await net.advance(1_000);
  await bert.run('broken.anchors', { anchors: ['nonsense', anchor.connectString] });
  await bert.run('peer.disconnect', { node_id: first.id });
  await net.advance(MINUTE_MS);
  t.deepEqual(await peerIds(bert), [anchor.id]);
  t.true((bert.counters('anchors')['profile-anchors-not-read.mesh/bad-connect-string'] ?? 0) > 0);
});

test('anchors of a profile are up to four connect strings, and an empty one clears them', async (t) => {
  const net = anchorNet(t);
  const anna = await person(net, 'anna');
  const anchor = `${'ab'.repeat(32)}@5.1.1.1:4433`;
  t.like(await anna.run('profile.set', { name: 'Anna', anchors: [anchor] }), { anchors: [anchor] });
  t.like(await anna.run('profile.set', { bio: 'Hej' }), { anchors: [anchor], name: 'Anna' });
  await t.throwsAsync(anna.run('profile.set', { anchors: ['nonsense'] }), { code: 'social/bad-profile' });
  const many = Array.from({ length: 5 }, (_, at) => `${String(at).repeat(64)}@5.1.1.1:4433`);
  await t.throwsAsync(anna.run('profile.set', { anchors: many }), { code: 'social/bad-profile' });
  t.like(await anna.run('profile.set', { anchors: [''] }), { anchors: [], name: 'Anna' });
});

test('anchors in profiles cannot have a stranger hammered, nor a house looked into', async (t) => {
  const net = anchorNet(t);
  const bert = await person(net, 'bert');
  for (let at = 0; at < 6; at++) {
    const liar = await person(net, `liar${at}`);
    const anchors = [1, 2].map((n) => `${`${at}${n}`.repeat(32)}@5.7.7.7:${n},10.0.0.1:22,127.0.0.1:${n}`);
    await liar.run('profile.set', { name: 'L', anchors });
    await bert.run('follow.add', { target: liar.connectString });
    await net.advance(1_000);
    await liar.stop();
  }
  const before = net.dials.length;
  await net.advance(9 * MINUTE_MS);
  const dialled = net.dials.slice(before).filter(({ from }) => from === bert.id);
  const told = dialled.flatMap(({ to }) => to.split(',')).filter((host) => !host.startsWith('5.0.0.'));
  t.true(told.length > 0);
  t.true(
    told.every((host) => host === '5.7.7.7'),
    told.join(),
  );
  t.true(told.length <= 4, `${told.length} dials`);
});
