import { readNodeId } from '../../kernel/index.ts';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { AnyMessage, BodyOf, ResponseOf } from '../../kernel/index.ts';
import {
  anchorMatch,
  anchorRegister,
  anchorTalk,
  probeRequest,
  probeResult,
  referralRequest,
} from '../../plugins/anchors/messages.ts';
import { anchorNet, anchorNode, dialledBy, listAnchors } from './anchor-net.ts';
import { CORE } from '../mesh/mesh-net.ts';

const PROBE = '0123456789abcdef'.repeat(2);
const NOWHERE = readNodeId('e'.repeat(64));
/** Where no node is, and nobody may be made to dial. */
const VICTIM = '5.7.7.7';

/** A node under attack, and one that runs mesh only: the test speaks for it. */
async function siege(t: ExecutionContext) {
  const net = anchorNet(t);
  const anna = await anchorNode(net, 'anna');
  const mallory = await anchorNode(net, 'mallory', { builtin: CORE });
  await mallory.run('peer.connect', { target: anna.connectString });
  const say = <M extends AnyMessage>(message: M, body: BodyOf<M>): Promise<ResponseOf<M>> =>
    net.wait(mallory.kernel.network.sendTo(anna.id, message, body));
  const counters = () => anna.counters('anchors');
  const victims = () => net.dials.filter(({ to }) => to.includes(VICTIM)).length;
  return { net, anna, mallory, say, counters, victims };
}

test('a registrant cannot have a stranger referred: only addresses on its own machine are passed on', async (t) => {
  const { net, anna, mallory, say, counters } = await siege(t);
  await say(anchorRegister, {
    addresses: [`${VICTIM}:53`, '127.0.0.1:22', '10.0.0.1:80', '224.0.0.1:99', mallory.address],
  });
  await net.advance(100);
  const { referrals } = await anna.run<{ referrals: { addresses: string[] }[] }>('anchor.referrals');
  t.deepEqual(referrals[0]?.addresses, [mallory.address]);
  t.is(counters()['registered-addresses-left-out'], 1);
});

test('a result of a probe that nobody asked for is refused, and costs its sender', async (t) => {
  const { say, counters } = await siege(t);
  await t.throwsAsync(say(probeResult, { probe_id: PROBE, outcome: 'reachable', reason: '' }));
  t.is(counters()['probe-results-refused'], 1);
});

const asWitness = { probe_id: PROBE, candidate: NOWHERE, target_addr: `${VICTIM}:4433` };

test('a witness dials one machine twice in ten minutes, whoever asks', async (t) => {
  const { net, anna, mallory, say, victims } = await siege(t);
  const outcomes = [];
  for (let at = 0; at < 4; at++) {
    const ask = { ...asWitness, target_addr: `${VICTIM}:${4_433 + at}`, witness: anna.id, return_via: mallory.id };
    outcomes.push((await say(probeRequest, ask)).reason);
    await net.advance(30_000);
  }
  t.deepEqual(outcomes, ['transport/dial-timeout', 'transport/dial-timeout', 'over-budget', 'over-budget']);
  t.is(victims(), 2);
});

for (const target_addr of [
  '127.0.0.1:4433',
  '10.1.2.3:4433',
  '192.168.0.1:1',
  '224.0.0.1:5',
  '0.0.0.0:9',
  '[::1]:4433',
  '[fe80::1]:1',
  'host.example:80',
]) {
  test(`a witness does not dial ${target_addr}`, async (t) => {
    const { net, anna, mallory, say } = await siege(t);
    const before = dialledBy(net, anna).length;
    const ask = { ...asWitness, target_addr, witness: anna.id, return_via: mallory.id };
    t.like(await say(probeRequest, ask), { outcome: 'not-tested', reason: 'address-not-public' });
    t.is(dialledBy(net, anna).length, before);
  });
}

test('a witness tests nobody for who names another way back, nor the asker itself, nor an acquaintance', async (t) => {
  const { net, anna, mallory, say, victims } = await siege(t);
  const friend = await anchorNode(net, 'friend');
  await friend.run('peer.connect', { target: anna.connectString });
  const ask = { ...asWitness, witness: anna.id, return_via: mallory.id };
  t.is((await say(probeRequest, { ...ask, return_via: NOWHERE })).reason, 'wrong-way-back');
  t.is((await say(probeRequest, { ...ask, candidate: mallory.id })).reason, 'wrong-candidate');
  t.is((await say(probeRequest, { ...ask, candidate: friend.id })).reason, 'acquainted');
  t.is(victims(), 0);
});

test('a reporter passes on only tests of who asks, at the machine it is seen at', async (t) => {
  const { net, anna, mallory, say, victims } = await siege(t);
  const witness = await anchorNode(net, 'witness');
  await witness.run('peer.connect', { target: anna.connectString });
  const ask = { ...asWitness, candidate: mallory.id, witness: witness.id, return_via: anna.id };
  t.is((await say(probeRequest, ask)).reason, 'not-its-address');
  t.is((await say(probeRequest, { ...ask, candidate: NOWHERE })).reason, 'wrong-candidate');
  await net.advance(60_000);
  t.is((await say(probeRequest, { ...ask, target_addr: mallory.address, witness: NOWHERE })).reason, 'no-such-witness');
  t.is(victims(), 0);
});

test('a match told by who has us on no list is not dialled', async (t) => {
  const { net, say, counters, victims } = await siege(t);
  await say(anchorMatch, { node_id: NOWHERE, addresses: [`${VICTIM}:1`] });
  await net.advance(1_000);
  t.is(victims(), 0);
  t.is(counters()['matches-unasked'], 1);
});

test('a lying anchor has its askers dial one machine four times at most', async (t) => {
  const net = anchorNet(t);
  const liar = await anchorNode(net, 'liar', { builtin: CORE });
  const victim = await anchorNode(net, 'asker', { anchors: [] });
  t.truthy(victim);
  const asker = await anchorNode(net, 'asker2', { anchors: [liar.connectString] });
  await net.advance(3_000);
  // The liar told a match as often as it may, each time of another name at the same machine.
  for (let at = 0; at < 10; at++) {
    const node_id = readNodeId(at.toString(16).repeat(64).slice(0, 64));
    await net.wait(
      liar.kernel.network.sendTo(asker.id, anchorMatch, { node_id, addresses: [`${VICTIM}:${at + 1}`, '127.0.0.1:9'] }),
    );
    await net.advance(1_000);
  }
  t.is(dialledBy(net, asker).filter((to) => to.includes(VICTIM)).length, 4);
  t.is(dialledBy(net, asker).filter((to) => to.includes('127.')).length, 0);
});

test('a machine with many names gets three rows among the known anchors', async (t) => {
  const { net, anna, mallory } = await siege(t);
  for (let at = 0; at < 8; at++) {
    const clone = await anchorNode(net, `clone${at}`, { builtin: CORE, host: `5.8.0.${at}` });
    // Their NAT has one address.
    const { route } = net.memory;
    net.memory.route = (from, to) =>
      from.host === clone.host ? { to, seenAs: { ...from, host: '5.8.8.8' } } : route(from, to);
    await clone.run('peer.connect', { target: anna.connectString });
    await clone.send(anna, anchorTalk, { is_anchor: true, addresses: ['5.8.8.8:1'], anchors: [] });
    await net.advance(1_000);
  }
  t.truthy(mallory);
  t.is((await listAnchors(anna)).filter(({ source }) => source === 'known').length, 3);
});

test('nobody makes an anchor of a stranger by claiming its address', async (t) => {
  const { net, anna, mallory, say } = await siege(t);
  await say(anchorTalk, { is_anchor: true, addresses: [`${VICTIM}:4433`, '127.0.0.1:1'], anchors: [] });
  await net.advance(1_000);
  const [row] = await listAnchors(anna);
  t.deepEqual(row?.addresses, [mallory.address]);
});

test('anchors that others tell of are the last to be tried, and not dialled before', async (t) => {
  const { net, anna, say, victims } = await siege(t);
  const told = Array.from({ length: 8 }, (_, at) => ({
    node_id: readNodeId(String(at).repeat(64)),
    addresses: [`${VICTIM}:${at + 1}`],
  }));
  await say(anchorTalk, { is_anchor: false, addresses: [], anchors: told });
  await net.advance(5_000);
  t.is(victims(), 0);
  t.true((await listAnchors(anna)).every(({ source }) => source === 'told'));
});

test('an anchor meets those it hears of, one machine twice in ten minutes', async (t) => {
  const { net, anna, say, victims } = await siege(t);
  await anna.run('anchor.declare', { state: 'on' });
  const told = Array.from({ length: 8 }, (_, at) => ({
    node_id: readNodeId(String(at).repeat(64)),
    addresses: [`${VICTIM}:${at + 1}`],
  }));
  await say(anchorTalk, { is_anchor: false, addresses: [], anchors: told });
  await net.advance(60_000);
  t.is(victims(), 2);
});

test('a flood of referral requests is held to its rate', async (t) => {
  const { say } = await siege(t);
  const asks = [];
  for (let at = 0; at < 12; at++)
    asks.push(
      await say(referralRequest, {}).then(
        () => 'answered',
        (error) => error.code,
      ),
    );
  t.true(asks.filter((outcome) => outcome === 'answered').length <= 5, asks.join());
});
