import type { ExecutionContext } from 'ava';
import test from 'ava';
import { contribute, definePlugin } from '../../kernel/index.ts';
import type { Contributed } from '../../kernel/index.ts';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import { KEPT_CONNECTION_NEEDS } from '../../plugins/keep-alive/api.ts';
import { PEER_FACTS, SLOT_POLICY } from '../../plugins/peers/api.ts';
import { CONTACT_FACTS } from '../../plugins/social/api.ts';
import { HOLDINGS } from '../../plugins/worm-search/api.ts';

const ID = 'd'.repeat(64);

function careless(...contributes: Contributed[]) {
  return definePlugin({
    name: 'careless',
    version: '1.0.0',
    kernel: '^1',
    about: 'Answers anything',
    setup: () => ({ contributes }),
  });
}

/** A node that runs a careless plugin, connected to another that does not. */
async function beside(t: ExecutionContext, builtin: string[], given: Contributed) {
  const net = new TestNetwork({ t, builtin });
  const a = await net.add({ name: 'a', plugins: [careless(given)] });
  const b = await net.add({ name: 'b' });
  await net.connect(a, b);
  return { net, a, b };
}

const failures = (node: TestNode): number => node.counters('careless').failures ?? 0;

test('peer facts of another shape broke the list of peers for everybody', async (t) => {
  const facts = { facts: () => ({ reach: 'near', slot: 7 }), searches: () => [{ at_ms: 'now' }] };
  const { a, b } = await beside(t, ['peers'], contribute(PEER_FACTS, facts as never));
  t.like(await a.run('peer.list'), { peers: [{ node_id: b.id, reach: 'none', slot: 'none' }] });
  t.is(failures(a), 1);
  t.like(await a.run('peer.explain', { node_id: b.id }), { resolutions: [] });
  t.true(failures(a) > 1);
});

test('contact facts of another shape broke the list of follows', async (t) => {
  const facts = contribute(CONTACT_FACTS, (() => ({ reach: 'direct', addresses: 'here' })) as never);
  const { a, b } = await beside(t, ['peers', 'social'], facts);
  await a.run('follow.add', { target: b.id });
  t.like(await a.run('follow.list'), { follows: [{ node_id: b.id }] });
  t.true(failures(a) > 0);
});

test('holdings that name nonsense broke worm queries for every kind of content', async (t) => {
  const holdings = { kind: 'blob' as const, holds: () => 'no', holders: () => [5, 'zz', ID], fetch: async () => 1 };
  const builtin = ['peers', 'routing', 'lookup', 'presence', 'social', 'worm-search', 'mesh', 'keep-alive', 'anchors'];
  const { net, a, b } = await beside(t, builtin, contribute(HOLDINGS, holdings as never));
  await net.advance(1_000);
  const found = await b.run<{ found: boolean; steps: { answered: number; hits: number }[] }>('search', {
    ...{ id: ID, kind: 'blob', explain: true },
  });
  t.true(
    found.steps.some(({ hits }) => hits > 0),
    'the good id of the list came through',
  );
  t.true(failures(a) >= 2);
  await net
    .add({ name: 'misshapen', plugins: [careless(contribute(HOLDINGS, { ...holdings, kind: 'tape' } as never))] })
    .then(() => t.fail())
    .catch((error) => t.regex(error.message, /its kind is none of post, blob/));
});

test('needs that are no list ended every check of keep-alive, and nonsense in them was not counted', async (t) => {
  for (const [answer, expected] of [
    [5, []],
    [[{ nodeId: ID, reason: 'dm', nplus10: [] }, { nodeId: 'x' }], [ID]],
  ] as const) {
    const given = contribute(KEPT_CONNECTION_NEEDS, (() => answer) as never);
    const { a } = await beside(t, ['peers', 'routing', 'keep-alive'], given);
    const { contacts } = await a.run<{ contacts: { node_id: string }[] }>('keepalive.explain');
    t.deepEqual(
      contacts.map(({ node_id }) => node_id),
      expected,
    );
    t.true(failures(a) > 0);
  }
});

test('a slot policy that answers anything ended every handshake', async (t) => {
  const policy = { nplus10: () => 'me', ask: () => ({ nplus10: 5 }), answered() {}, asked: () => undefined, over() {} };
  const given = contribute(SLOT_POLICY, { ...policy, makeRoom: async () => {} } as never);
  const { a, b } = await beside(t, ['peers'], given);
  t.like(await b.run('peer.list'), { peers: [{ node_id: a.id }] });
  t.true(failures(a) > 0);
});
