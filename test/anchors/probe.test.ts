import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import type { ExecutionContext } from 'ava';
import { anchorNet, anchorNode, explain, NO_GROWTH, ROUTER, slotsGiven } from './anchor-net.ts';

const MINUTE_MS = 60_000;

/** anna is connected to two reporters, each of which has two strangers; her router can map a port. */
async function neighbourhood(t: ExecutionContext) {
  const net = anchorNet(t);
  const config = NO_GROWTH;
  const anna = await anchorNode(net, 'anna', {
    plugins: [ROUTER],
    config: { ...config, anchors: { minMesh: 2, minUptimeMs: 10 * MINUTE_MS } },
  });
  const reporters = [await anchorNode(net, 'r0', { config }), await anchorNode(net, 'r1', { config })];
  const strangers: TestNode[] = [];
  for (const reporter of reporters) {
    await anna.run('peer.connect', { target: reporter.connectString });
    for (let at = 0; at < 2; at++) {
      const stranger = await anchorNode(net, `s${strangers.length}`, { config });
      await stranger.run('peer.connect', { target: reporter.connectString });
      strangers.push(stranger);
    }
  }
  const map = (address: string) => anna.run('router.map', { address });
  /** Only those connected already get through, as behind a NAT without a mapping. */
  const block = (blocked: boolean) => {
    const hosts = new Set(strangers.map(({ host }) => host));
    net.memory.route = (from, to) =>
      blocked && hosts.has(from.host) && to.host === anna.host ? undefined : { to, seenAs: from };
  };
  const failuresReach = async (count: number) => {
    for (let at = 0; at < 240 && (await explain(anna)).failures_in_a_row < count; at++) await net.advance(10_000);
  };
  return { net, anna, reporters, strangers, map, block, failuresReach };
}

test('a node with a mapping becomes an anchor when the whole checklist holds, and not earlier', async (t) => {
  const { net, anna, map } = await neighbourhood(t);
  await net.advance(2 * MINUTE_MS);
  t.deepEqual((await explain(anna)).checklist, {
    mapped_or_public_ipv6: false,
    probed_within_30_min: false,
    enough_mesh_peers: true,
    up_long_enough: false,
    not_mobile: true,
  });
  await map(anna.address);
  await net.advance(2 * MINUTE_MS);
  t.like(await explain(anna), {
    is_anchor: false,
    checklist: { mapped_or_public_ipv6: true, probed_within_30_min: true, up_long_enough: false },
  });
  await net.advance(8 * MINUTE_MS);
  t.true((await explain(anna)).is_anchor);
});

test('the witness is a stranger that a reporter knows, and dials once, cold', async (t) => {
  const { net, anna, reporters, strangers, map } = await neighbourhood(t);
  await net.advance(MINUTE_MS);
  const slotsBefore = slotsGiven(anna);
  await map(anna.address);
  await net.advance(2 * MINUTE_MS);
  const { probes } = await explain(anna);
  t.is(probes.length, 1);
  t.is(slotsGiven(anna), slotsBefore, 'a witness asks for no slot');
  t.like(probes[0], { outcome: 'reachable', cause: 'startup' });
  const witness = strangers.find(({ id }) => id === probes[0]?.witness);
  t.truthy(witness);
  t.true(reporters.some(({ id }) => id === probes[0]?.via));
  t.deepEqual(
    net.dials.filter(({ to }) => to === anna.host).map(({ from }) => from),
    [witness?.id],
  );
  t.false(
    anna.connections().some(({ peer }) => peer.nodeId === witness?.id),
    'the connection is closed again',
  );
});

test('behind a NAT the result is unreachable, although anna can be reached by her peers', async (t) => {
  const { net, anna, map, block } = await neighbourhood(t);
  block(true);
  await map(anna.address);
  await net.advance(2 * MINUTE_MS);
  t.like((await explain(anna)).probes[0], { outcome: 'unreachable', reason: 'transport/dial-timeout' });
});

test('while declared it is probed every 30 minutes', async (t) => {
  const { net, anna, map } = await neighbourhood(t);
  await map(anna.address);
  await net.advance(125 * MINUTE_MS);
  const times = (await explain(anna)).probes.map(({ at_ms }) => at_ms);
  const gaps = times.slice(1).map((atMs, at) => (atMs - (times[at] as number)) / MINUTE_MS);
  t.true(gaps.length >= 3);
  for (const gap of gaps) t.true(gap >= 30 && gap < 33, `${gap} minutes`);
});

test('two failures in a row withdraw the declaration, one does not', async (t) => {
  const { net, anna, map, block, failuresReach } = await neighbourhood(t);
  await map(anna.address);
  await net.advance(20 * MINUTE_MS);
  t.true((await explain(anna)).is_anchor);
  block(true);
  await failuresReach(1);
  t.like(await explain(anna), { is_anchor: true, failures_in_a_row: 1 });
  block(false);
  await net.advance(3 * MINUTE_MS);
  t.like(await explain(anna), { is_anchor: true, failures_in_a_row: 0 });
  block(true);
  await failuresReach(2);
  t.false((await explain(anna)).is_anchor);
});

test('a lost mapping ends the declaration at once', async (t) => {
  const { net, anna, map } = await neighbourhood(t);
  await map(anna.address);
  await net.advance(20 * MINUTE_MS);
  await map('');
  await net.advance(70_000);
  t.false((await explain(anna)).is_anchor);
});

test('another mapping is probed at once', async (t) => {
  const { net, anna, map } = await neighbourhood(t);
  await map(anna.address);
  await net.advance(2 * MINUTE_MS);
  await map(`${anna.host}:5555`);
  await net.advance(2 * MINUTE_MS);
  const { probes } = await explain(anna);
  t.like(
    probes.find(({ cause }) => cause !== 'startup'),
    { cause: 'mapping-changed', outcome: 'unreachable' },
  );
});

test('the operator declares and withdraws whatever the checklist says, and peers are told', async (t) => {
  const { net, anna, reporters } = await neighbourhood(t);
  t.deepEqual(await anna.run('anchor.declare', { state: 'on' }), { is_anchor: true });
  await net.advance(1_000);
  const [reporter] = reporters;
  const list = await reporter?.run<{ anchors: { node_id: string; says_it_is_one: boolean; addresses: string[] }[] }>(
    'anchor.list',
  );
  t.like(list?.anchors[0], { node_id: anna.id, says_it_is_one: true, addresses: [anna.address] });
  t.deepEqual(await anna.run('anchor.declare', { state: 'off' }), { is_anchor: false });
});

test('the declaration and its clock outlive a swap', async (t) => {
  const { net, anna, map } = await neighbourhood(t);
  await map(anna.address);
  await net.advance(20 * MINUTE_MS);
  t.is((await anna.reload('anchors')).outcome, 'committed');
  await net.advance(5_000);
  t.like(await explain(anna), { is_anchor: true, checklist: { up_long_enough: true, probed_within_30_min: true } });
});

test('ANCH-09: a connection from outside that fails is a reason to probe at once, and no more than once in five minutes', async (t) => {
  const { net, anna, map } = await neighbourhood(t);
  const caller = await anchorNode(net, 'caller', { builtin: [] });
  await map(anna.address);
  await net.advance(2 * MINUTE_MS);
  const causes = async () => (await explain(anna)).probes.map(({ cause }) => cause);
  t.deepEqual(await causes(), ['startup']);
  // It owes the first exchange, and is closed for it after 20 s.
  const call = async () => {
    await net.wait(caller.kernel.network.dial({ nodeId: anna.id, addresses: [anna.address] }));
    await net.advance(26_000);
  };
  await call();
  t.deepEqual(await causes(), ['startup', 'inbound-failed']);
  const closed = anna.counters('anchors')['probes.reachable'];
  for (let at = 0; at < 5; at++) await call();
  t.is(anna.counters('anchors')['probes.reachable'], closed);
  await net.advance(3 * MINUTE_MS);
  await call();
  t.deepEqual(await causes(), ['startup', 'inbound-failed', 'inbound-failed']);
});
