import test from 'ava';
import { checks, explain, kinds, sees } from './world.ts';
import { follow, prefer, quietNet } from '../presence/quiet-net.ts';

/** Anna follows bert, whose preferred peer is dora; anna has lost sight of both. */
async function lostSight(t: import('ava').ExecutionContext) {
  const net = quietNet(t, 'keep-alive');
  const [anna, bert, dora] = await net.start('anna', 'bert', 'dora');
  await prefer(bert, dora);
  await bert.reload('presence');
  await follow(net, anna, bert);
  await net.advance(100);
  const part = async (): Promise<void> => {
    net.memory.breakConnections(anna.host, bert.host);
    net.memory.setLink(anna.host, bert.host, { dialFailure: 1 });
    await net.advance(10);
  };
  return { net, anna, bert, dora, part };
}

test('a contact in sight needs no session, and explain says why', async (t) => {
  const { net, anna, bert, dora, part } = await lostSight(t);
  await checks(net, 2);
  t.is((await explain(anna)).contacts[0]?.verdict, 'needs no session: connected to it');
  await part();
  await sees(anna, bert, [dora.id]);
  await checks(net, 5);
  t.is((await explain(anna)).contacts[0]?.verdict, 'needs no session: it is in N2');
  t.is((await explain(anna)).sessions, 0);
});

test('out of sight for three checks, a session goes to the preferred peer that can be reached (KEEP-03, -04)', async (t) => {
  const { net, anna, bert, dora, part } = await lostSight(t);
  await sees(anna, dora);
  await part();
  await checks(net, 2);
  t.is((await explain(anna)).sessions, 0);
  await checks(net, 2);
  const { contacts, sessions } = await explain(anna);
  t.is(sessions, 1);
  t.like(contacts[0], { node_id: bert.id, reason: 'follow', verdict: 'kept by a session', host: dora.id });
  t.deepEqual(contacts[0]?.tries.map(({ host, result }) => [host, result]).at(-1), [dora.id, 'accepted']);
  t.deepEqual(kinds(anna, dora), ['keep-alive']);
  t.deepEqual(kinds(dora, anna), ['keep-alive']);
});

test('a contact that flaps gets no session (KEEP-04)', async (t) => {
  const { net, anna, bert, dora, part } = await lostSight(t);
  await sees(anna, dora);
  await part();
  for (let round = 0; round < 10; round++) {
    await checks(net, 1);
    await sees(anna, bert, [dora.id]);
    await checks(net, 1);
    await sees(anna, bert);
  }
  t.is((await explain(anna)).sessions, 0);
});

test('a session ends when its node was in sight without it for ten checks, on both sides', async (t) => {
  const { net, anna, bert, dora, part } = await lostSight(t);
  const [emil] = await net.start('emil');
  await sees(anna, dora);
  await part();
  await checks(net, 4);
  t.is((await explain(anna)).sessions, 1);
  // What only its own host reports does not count.
  await sees(anna, bert, [dora.id]);
  await checks(net, 15);
  t.is((await explain(anna)).sessions, 1);
  await sees(anna, bert, [dora.id, emil.id]);
  await checks(net, 8);
  t.is((await explain(anna)).sessions, 1);
  await checks(net, 3);
  t.is((await explain(anna)).sessions, 0);
  t.deepEqual(kinds(anna, dora), ['session']);
  t.deepEqual(kinds(dora, anna), ['session']);
});

test('a session survives a reload, and ends when nobody needs it', async (t) => {
  const { net, anna, bert, dora, part } = await lostSight(t);
  await sees(anna, dora);
  await part();
  await checks(net, 4);
  t.is((await anna.reload('keep-alive')).outcome, 'committed');
  t.like(await explain(anna), { sessions: 1, contacts: [{ host: dora.id }] });
  await anna.run('follow.remove', { node_id: bert.id });
  await checks(net, 2);
  t.is((await explain(anna)).sessions, 0);
});

test('a contact that nobody can reach is tried less and less often', async (t) => {
  const { net, anna, part } = await lostSight(t);
  await part();
  await checks(net, 24 * 60);
  const failed = anna.counters('keep-alive')['sessions-failed'] ?? 0;
  t.true(failed >= 8 && failed <= 20, `${failed} attempts in a day`);
  t.regex((await explain(anna)).contacts[0]?.verdict ?? '', /none of its N\+10 could be reached/);
});

test('every 60 s it is checked who is in sight (CYC-06)', async (t) => {
  const { net, anna, part } = await lostSight(t);
  const checks: { atMs: number; needed: number; outOfSight: number }[] = [];
  const listening = anna.kernel.bus.all().subscribe(({ topic, event }) => {
    if (topic === 'keep-alive/connectivity-checked') {
      checks.push({ ...(event as { needed: number; outOfSight: number }), atMs: net.clock.now() });
    }
  });
  t.teardown(() => listening.unsubscribe());
  await net.advance(5 * 60_000);
  await part();
  await net.advance(5 * 60_000);
  const spacings = checks.slice(1).map(({ atMs }, index) => atMs - (checks[index]?.atMs ?? 0));
  t.deepEqual(spacings, Array(9).fill(60_000));
  t.deepEqual(
    checks.map(({ needed, outOfSight }) => [needed, outOfSight]),
    [...Array(5).fill([1, 0]), ...Array(5).fill([1, 1])],
  );
});

test('with social off the mesh has the same members, and the social layer none (LAY-01)', async (t) => {
  const { net, anna, bert } = await lostSight(t);
  type Layers = Record<'mesh' | 'social', { node_id: string }[]>;
  const ids = async (layer: keyof Layers) => (await anna.run<Layers>('layers'))[layer].map(({ node_id }) => node_id);
  t.deepEqual([await ids('mesh'), await ids('social')], [[bert.id], [bert.id]]);
  await anna.disable('social');
  await checks(net, 1);
  t.deepEqual([await ids('mesh'), await ids('social')], [[bert.id], []]);
  await anna.enable('social');
  t.deepEqual(await ids('social'), [bert.id]);
});

test('layers have their own members, and losing one leaves the others alone (LAY-01)', async (t) => {
  const { net, anna, bert, dora, part } = await lostSight(t);
  type Layers = Record<'mesh' | 'social' | 'file', { node_id: string; connection: string }[]>;
  await anna.run('peer.connect', { target: dora.connectString });
  const before = await anna.run<Layers>('layers');
  t.deepEqual(before.mesh.map(({ node_id }) => node_id).sort(), [bert.id, dora.id].sort());
  t.like(before.social, [{ node_id: bert.id, connection: 'mesh' }]);
  await part();
  await checks(net, 1);
  const after = await anna.run<Layers>('layers');
  t.deepEqual(
    after.mesh.map(({ node_id }) => node_id),
    [dora.id],
  );
  t.like(after.social, [{ node_id: bert.id, connection: 'none' }]);
});
