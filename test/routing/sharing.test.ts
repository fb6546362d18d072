import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { decodeIds, encodeIds, ID_WORDS, N2_SHARE_MAX, SHORT_WORDS } from '../../plugins/routing/id-list.ts';
import { nodeIds } from './ids.ts';
import { Neighbourhood } from './neighbourhood.ts';
import type { Neighbour } from './neighbourhood.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A chain a - b - c - d - e. */
async function chain(): Promise<{
  net: Neighbourhood;
  nodes: [Neighbour, Neighbour, Neighbour, Neighbour, Neighbour];
}> {
  const net = new Neighbourhood();
  const nodes = ['a', 'b', 'c', 'd', 'e'].map((name) => net.add(name)) as [
    Neighbour,
    Neighbour,
    Neighbour,
    Neighbour,
    Neighbour,
  ];
  for (let i = 0; i + 1 < nodes.length; i++) await net.join(nodes[i] as Neighbour, nodes[i + 1] as Neighbour);
  await net.run(4 * MINUTE_MS);
  return { net, nodes };
}

/** Every id that occurs in a message, packed or not, by its first 16 bytes. */
function idsIn(body: object): Set<string> {
  const found = new Set<string>();
  for (const [key, list] of Object.entries(body)) {
    if (!/^n[12]_/.test(key)) continue;
    const words = decodeIds(list, key.startsWith('n1') ? ID_WORDS : SHORT_WORDS) ?? new Uint32Array(0);
    const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
    const size = key.startsWith('n1') ? 32 : 16;
    for (let at = 0; at < bytes.length; at += size) found.add(bytes.toString('hex', at, at + 16));
  }
  return found;
}

test('each node knows what lies within three hops, with who reports it', async (t) => {
  const { nodes } = await chain();
  const [a, b, c, d, e] = nodes;
  t.deepEqual(
    [b, c, d, e].map(({ id }) => a.knowledge.layerOf(id)),
    ['n1', 'n2', 'n3', 'none'],
  );
  t.deepEqual(a.knowledge.reach(d.id), { layer: 'n3', n2Reporters: [], n3Reporters: [b.id] });
  t.deepEqual(c.knowledge.reach(e.id), { layer: 'n2', n2Reporters: [d.id], n3Reporters: [] });
});

test('an id that is only in N3 occurs in no outgoing message, and no address does', async (t) => {
  const { net, nodes } = await chain();
  const [a, , , d] = nodes;
  await net.run(5 * HOUR_MS, 30_000);
  const fromA = net.lists().filter(({ from }) => from === a.id);
  t.true(fromA.length > 100);
  t.true(fromA.every(({ body }) => !idsIn(body).has(d.id.slice(0, 32))));
  t.true(net.lists().every(({ body }) => !/\d+\.\d+\.\d+\.\d+/.test(JSON.stringify(body))));
});

test('a contact and a connected peer look alike in a share', async (t) => {
  const net = new Neighbourhood();
  const [a, b, c] = [net.add('a', { packed: false }), net.add('b', { packed: false }), net.add('c')];
  const contacts = nodeIds('contacts', 3);
  a.shareN1(() => contacts);
  await net.join(a, b);
  await net.join(a, c);
  await net.run(MINUTE_MS);
  const whole = a.knowledge.extension.collect(b.peer) as { n1_added: string[] };
  t.deepEqual(whole.n1_added, [...contacts, b.id, c.id].sort());
  t.deepEqual(Object.keys(whole).sort(), ['n1_added', 'n2_added', 'revision']);
  t.deepEqual(
    contacts.map((id) => b.knowledge.layerOf(id)),
    ['n2', 'n2', 'n2'],
  );
});

test('a diff goes out every 120 s, and at once when N1 changes after a quiet spell', async (t) => {
  const { net, nodes } = await chain();
  const [a, b] = nodes;
  net.sent.length = 0;
  await net.run(20 * MINUTE_MS);
  const times = net
    .lists()
    .filter(({ from, to }) => from === a.id && to === b.id)
    .map(({ atMs }) => atMs);
  t.is(times.length, 10);
  t.true(times.slice(1).every((at, i) => Math.abs(at - (times[i] as number) - 120_000) <= 5_000));
  t.true(
    net.lists().every(({ body }) => JSON.stringify(body).length < 80),
    'nothing new costs little',
  );
  await net.run(MINUTE_MS);
  net.sent.length = 0;
  const at = net.clock.now();
  await net.join(a, net.add('x'));
  await net.clock.advance(100);
  const [first] = net.lists().filter(({ from, to }) => from === a.id && to === b.id);
  t.is(first?.atMs, at + 50);
});

test('a burst of changes is told in steps of 10 s', async (t) => {
  const { net, nodes } = await chain();
  const [a, b] = nodes;
  net.sent.length = 0;
  for (let i = 0; i < 30; i++) {
    await net.join(a, net.add(`x${i}`));
    await net.run(1_000, 1_000);
  }
  t.true(net.lists().filter(({ from, to }) => from === a.id && to === b.id).length <= 8);
  await net.run(15_000);
  t.is(b.knowledge.candidates(100).length, 31);
});

test('with N1 and N2 changing at random, diffs leave peers what whole lists would', async (t) => {
  const net = new Neighbourhood();
  const random = seededRandom('churn');
  const nodes = Array.from({ length: 14 }, (_, i) => net.add(`n${i}`, { packed: i % 2 === 0 }));
  const pick = (): Neighbour => nodes[random.integer(nodes.length)] as Neighbour;
  for (let round = 0; round < 120; round++) {
    const [a, b] = [pick(), pick()];
    if (a === b) continue;
    if (a.links.has(b.id)) net.part(a, b);
    else await net.join(a, b);
    await net.run(random.integer(20_000));
  }
  await net.run(6 * MINUTE_MS);
  for (const a of nodes) {
    for (const target of nodes) {
      if (a === target) continue;
      const reporters = [...a.links.values()];
      const n2 = reporters.filter((b) => b.links.has(target.id)).map(({ id }) => id);
      const n3 = reporters.filter((b) => b !== target && [...b.links.values()].some((c) => c.links.has(target.id)));
      const reach = a.knowledge.reach(target.id);
      t.deepEqual([...reach.n2Reporters].sort(), n2.sort());
      t.deepEqual([...reach.n3Reporters].sort(), n3.map(({ id }) => id).sort());
    }
  }
  t.true(nodes.every(({ counters }) => counters.read()['diffs-missed'] === undefined));
});

test('what a peer reported is gone at once when it leaves', async (t) => {
  const { net, nodes } = await chain();
  const [a, b, c, d] = nodes;
  net.part(a, b);
  t.deepEqual(
    [b, c, d].map(({ id }) => a.knowledge.layerOf(id)),
    ['none', 'none', 'none'],
  );
  await net.run(3 * MINUTE_MS);
  t.is(c.knowledge.layerOf(a.id), 'none');
});

test('a lost diff is noticed by the next one and heals by a whole list', async (t) => {
  const { net, nodes } = await chain();
  const [a, b, c] = nodes;
  let lost = 0;
  net.loses = ({ from, to, name }) => from === b.id && to === a.id && name === 'NodeListUpdate' && ++lost === 1;
  const x = net.add('x');
  await net.join(b, x);
  await net.run(3 * MINUTE_MS);
  t.is(a.counters.read()['diffs-missed'], 1);
  t.is(a.knowledge.layerOf(x.id), 'n2');
  t.is(a.knowledge.layerOf(c.id), 'n2');
});

test('lists are told whole every 4 h, and what is not repeated for 5 h is dropped', async (t) => {
  const { net, nodes } = await chain();
  const [a, b, c] = nodes;
  net.sent.length = 0;
  await net.run(9 * HOUR_MS, 30_000);
  const whole = net.lists().filter(({ from, to, body }) => from === b.id && to === a.id && body.base === undefined);
  t.is(whole.length, 2);
  t.is(a.knowledge.layerOf(c.id), 'n2');
  net.loses = ({ from }) => from === b.id;
  const lastWholeMs = whole[1]?.atMs ?? 0;
  await net.run(lastWholeMs + 5 * HOUR_MS - net.clock.now() - 5 * MINUTE_MS, 30_000);
  t.is(a.knowledge.layerOf(c.id), 'n2');
  await net.run(6 * MINUTE_MS, 30_000);
  t.is(a.knowledge.layerOf(c.id), 'none');
});

test('peers that take packed ids get them, the others plain ones', async (t) => {
  const net = new Neighbourhood();
  const [a, b, old] = [net.add('a'), net.add('b'), net.add('old', { packed: false })];
  await net.join(a, b);
  await net.join(a, old);
  await net.join(b, net.add('x'));
  await net.run(3 * MINUTE_MS);
  const lists = (from: Neighbour, to: Neighbour) =>
    net.lists().filter((sent) => sent.from === from.id && sent.to === to.id && sent.body.n2_added !== undefined);
  t.true(lists(a, old).length > 0 && lists(b, a).length + lists(a, b).length > 0);
  t.true(lists(a, old).every(({ body }) => Array.isArray(body.n2_added)));
  t.true([...lists(a, b), ...lists(b, a)].every(({ body }) => typeof body.n2_added === 'string'));
});

test('a share too long for the handshake follows packed', async (t) => {
  const net = new Neighbourhood();
  const [a, b] = [net.add('a'), net.add('b')];
  const contacts = nodeIds('contacts', 1_000);
  a.shareN1(() => contacts);
  await net.join(a, b);
  t.is(a.knowledge.extension.collect(b.peer), undefined);
  await net.run(1_000);
  t.true(contacts.every((id) => b.knowledge.layerOf(id) === 'n2'));
});

test('a packed share of 10,000 ids is a third of the plain one', (t) => {
  const ids = nodeIds('share', 10_000);
  const [packed, plain] = [true, false].map((form) => JSON.stringify(encodeIds(ids, SHORT_WORDS, form)).length);
  t.true((packed as number) <= 0.32 * (plain as number), `${packed} of ${plain}`);
  const words = decodeIds(encodeIds(ids, SHORT_WORDS, true), SHORT_WORDS);
  t.deepEqual(words, decodeIds(encodeIds(ids, SHORT_WORDS, false), SHORT_WORDS));
});

test('a list that is not whole, and one from who is no peer, change nothing', async (t) => {
  const { nodes } = await chain();
  const [a, b, c] = nodes;
  a.knowledge.receive({ revision: 9e15, n1_added: Buffer.alloc(33).toString('base64') }, { peer: b.peer });
  t.is(a.counters.read()['lists-broken'], 1);
  a.knowledge.receive({ revision: 9e15, n1_added: nodeIds('x', 3) }, { peer: c.peer });
  t.is(a.counters.read()['lists-before-exchange'], 1);
  await a.knowledge.extension.receive(b.peer, { revision: 1, n1_added: ['not an id'] });
  await a.knowledge.extension.receive(b.peer, null);
  t.is(a.counters.read()['lists-malformed'], 2);
  t.is(a.knowledge.layerOf(c.id), 'n2');
});

test('a part over the cap is refused whole', async (t) => {
  const { nodes } = await chain();
  const [a, b, c] = nodes;
  const over = nodeIds('flood', N2_SHARE_MAX + 1);
  await a.knowledge.extension.receive(b.peer, { revision: 9e15, n1_added: [], n2_added: over });
  t.is(a.counters.read()['lists-malformed'], 1);
  t.is(a.knowledge.layerOf(c.id), 'n2');
});

test('a peer that asks for the whole lists again and again gets them once a minute', async (t) => {
  const { net, nodes } = await chain();
  const [a, b] = nodes;
  net.sent.length = 0;
  for (let i = 0; i < 25; i++) {
    a.knowledge.receive({ revision: 1, base: 1, resync: true }, { peer: b.peer });
    await net.run(1_000, 1_000);
  }
  const whole = net.lists().filter(({ from, body }) => from === a.id && body.base === undefined);
  t.is(whole.length, 1);
});

test('a new generation goes on where the old one stopped', async (t) => {
  const { net, nodes } = await chain();
  const [a, b, c, d] = nodes;
  const state = JSON.parse(JSON.stringify(a.knowledge.snapshot()));
  const heir = net.add('a');
  heir.knowledge.restore(state);
  t.deepEqual(heir.knowledge.reach(c.id), a.knowledge.reach(c.id));
  t.deepEqual(heir.knowledge.reach(d.id), a.knowledge.reach(d.id));
  t.deepEqual(heir.knowledge.snapshot(), a.knowledge.snapshot());
  t.is(b.knowledge.layerOf(a.id), 'n1');
});
