import test from 'ava';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { DAY_MS, follow, HOUR_MS, know, MINUTE_MS, prefer, quietNet } from './quiet-net.ts';

const made = (node: TestNode): number => node.counters('presence')['checkins-made'] ?? 0;
const dialsOf = (net: TestNetwork, node: TestNode): number[] =>
  net.dials.filter(({ from }) => from === node.id).map(({ atMs }) => atMs);

test('a contact is checked in with every 1 to 3 hours, and the followee need not do the same (CYC-13)', async (t) => {
  const net = quietNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await follow(net, anna, bert);
  await net.advance(HOUR_MS - 2 * MINUTE_MS);
  t.is(made(anna), 0);
  await net.advance(2 * HOUR_MS + 4 * MINUTE_MS);
  t.true(made(anna) >= 1);
  await net.advance(7 * DAY_MS);
  const count = made(anna);
  t.true(count >= 56 && count <= 171, `${count} check-ins in a week`);
  t.is(made(bert), 0);
});

test('friends check in once for both', async (t) => {
  const net = quietNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await follow(net, anna, bert);
  await follow(net, bert, anna);
  await net.advance(2 * DAY_MS);
  const count = made(anna) + made(bert);
  t.true(count >= 16 && count <= 50, `${count} check-ins in two days`);
});

test('thirty days away: looked for every 1 to 3 hours, daily after a week, not at all after 30 days', async (t) => {
  const net = quietNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await follow(net, anna, bert);
  const startedMs = performance.now();
  await bert.stop();
  const left = net.clock.now();
  await net.advance(40 * DAY_MS);
  t.log(`40 days in ${Math.round(performance.now() - startedMs)} ms`);
  const days = dialsOf(net, anna).map((atMs) => (atMs - left) / DAY_MS);
  const early = days.filter((day) => day > 0 && day < 7);
  const late = days.filter((day) => day >= 7.2 && day < 30);
  t.true(early.length >= 56 && early.length <= 170, `${early.length} in the first week`);
  t.true(late.length >= 21 && late.length <= 25, `${late.length} in the weeks after`);
  t.deepEqual(
    days.filter((day) => day >= 30),
    [],
  );
});

test('a contact that comes back after 30 days is checked in with again', async (t) => {
  const net = quietNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await follow(net, anna, bert);
  await bert.stop();
  await net.advance(31 * DAY_MS);
  const back = await net.restart(bert);
  await back.run('peer.connect', { target: anna.connectString });
  await net.advance(4 * HOUR_MS);
  t.true(made(anna) > 0);
});

test('check-ins carry a changed N+10, and a change is told at once (SOC-03, NPT-03)', async (t) => {
  const net = quietNet(t);
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  await follow(net, anna, bert);
  await prefer(bert, carl);
  await net.advance(2 * MINUTE_MS);
  t.is(anna.counters('presence')['address-records-stored'], 2);
  t.is(bert.counters('presence')['SocialAddressUpdate-sent'], 1);
  await know(bert, { nplus10: [bert.id] });
  await net.advance(2 * MINUTE_MS);
  t.is(anna.counters('presence')['address-records-stored'], 3);
});

test('mesh redials a followee for an hour, after which check-ins look for it', async (t) => {
  const net = quietNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await follow(net, anna, bert);
  const kept = async () => (await anna.run<{ kept: string[] }>('fake.state')).kept;
  await bert.stop();
  await net.advance(50 * MINUTE_MS);
  t.deepEqual(await kept(), [bert.id]);
  await net.advance(15 * MINUTE_MS);
  t.deepEqual(await kept(), []);
});

test('a followee whom peers report is not redialled: it is found when it is wanted', async (t) => {
  const net = quietNet(t);
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  await follow(net, anna, bert);
  const kept = async () => (await anna.run<{ kept: string[] }>('fake.state')).kept;
  t.deepEqual(await kept(), [bert.id]);
  await know(anna, { reach: { [bert.id]: { layer: 'n2', n2Reporters: [carl.id], n3Reporters: [] } } });
  await net.advance(2 * MINUTE_MS);
  t.deepEqual(await kept(), []);
  await know(anna, { reach: { [bert.id]: { layer: 'none', n2Reporters: [], n3Reporters: [] } } });
  await net.advance(2 * MINUTE_MS);
  t.deepEqual(await kept(), [bert.id]);
});

test('a reload of social tells nobody anything anew, and check-ins go on', async (t) => {
  const net = quietNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await follow(net, anna, bert);
  await net.advance(2 * MINUTE_MS);
  const stored = bert.counters('presence')['address-records-stored'];
  t.is((await anna.reload('presence')).outcome, 'committed');
  await net.advance(5 * HOUR_MS);
  t.is(bert.counters('presence')['address-records-stored'], stored);
  t.true(made(anna) >= 1);
});

test('contacts are part of N1, and those away for more than a week are not (KNOW-01)', async (t) => {
  const net = quietNet(t);
  const [anna, bert, carl, ...others] = await net.start('anna', 'bert', 'carl', 'dora', 'emil', 'fred');
  await follow(net, anna, bert);
  await follow(net, carl, anna);
  const n1 = async () => (await anna.run<{ n1: string[] }>('fake.state')).n1;
  t.deepEqual(await n1(), [], 'one neighbour is no company: the share would be the contact list');
  for (const other of others) await anna.run('peer.connect', { target: other.connectString });
  await bert.stop();
  await net.advance(6 * DAY_MS);
  t.deepEqual((await n1()).sort(), [bert.id, carl.id].sort());
  await net.advance(2 * DAY_MS);
  t.deepEqual(await n1(), [carl.id]);
});
