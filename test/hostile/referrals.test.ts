import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import type { ExecutionContext } from 'ava';
import { REFERRALS_TAKEN_MAX, referralRequest } from '../../plugins/anchors/messages.ts';
import { anchorNet, anchorNode, dialledBy, explain } from '../anchors/anchor-net.ts';
import { tapWire } from '../privacy/wire-tap.ts';
import type { TappedFrame } from '../privacy/wire-tap.ts';
import { CORE } from '../mesh/mesh-net.ts';

const LYING_ANCHOR = fileURLToPath(new URL('./lying-anchor', import.meta.url));
const MINUTE_MS = 60_000;
const config = { mesh: { growth: false } };

/** A newcomer whose only anchor refers it to these. */
async function referred(t: ExecutionContext, referrals: readonly object[]) {
  const net = anchorNet(t);
  const liar = await anchorNode(net, 'liar', { config, builtin: CORE, plugins: [LYING_ANCHOR] });
  await liar.run('liar.refer', { referrals });
  const asker = await anchorNode(net, 'asker', { config, anchors: [liar.connectString] });
  await net.advance(3 * MINUTE_MS);
  const dialled = dialledBy(net, asker).flatMap((hosts) => hosts.split(','));
  return { net, asker, dialled: dialled.filter((host) => host !== liar.host) };
}

const referral = (at: number, ...addresses: string[]) => ({ node_id: at.toString(16).padStart(64, 'a'), addresses });

test('a list of referrals over the cap is refused whole', async (t) => {
  const many = Array.from({ length: REFERRALS_TAKEN_MAX + 1 }, (_, at) => referral(at, `5.7.7.${at}:1`));
  const { asker, dialled } = await referred(t, many);
  t.deepEqual(dialled, []);
  t.is(asker.counters('anchors')['referrals-failed.wire/bad-response'], 1);
});

test('referrals to one stranger, under many names and ports, are four dials', async (t) => {
  const many = Array.from({ length: REFERRALS_TAKEN_MAX }, (_, at) => referral(at, `5.7.7.7:${at + 1}`));
  const { dialled } = await referred(t, many);
  t.deepEqual(dialled, ['5.7.7.7', '5.7.7.7', '5.7.7.7', '5.7.7.7']);
});

test('referrals to inner, local, multicast and unspecified addresses and to names are not followed', async (t) => {
  const places = [
    '127.0.0.1:1',
    '10.0.0.1:1',
    '192.168.1.1:1',
    '[::1]:1',
    '224.0.0.1:1',
    '0.0.0.0:1',
    'victim.example:1',
  ];
  const { asker, dialled } = await referred(
    t,
    places.map((place, at) => referral(at, place)),
  );
  t.deepEqual(dialled, []);
  t.is(asker.counters('anchors')['referral-addresses-refused'], places.length);
});

test.serial('referrals that lead in a circle are each followed once, and never asked for more', async (t) => {
  const net = anchorNet(t);
  const frames: TappedFrame[] = [];
  t.teardown(tapWire((frame) => frames.push(frame)));
  // All three are anchors, connected to each other: whoever is asked refers to the other two.
  const ring: TestNode[] = [];
  for (const name of ['one', 'two', 'three']) {
    ring.push(await anchorNode(net, name, { config: { ...config, anchors: { declare: true } } }));
  }
  for (const [at, one] of ring.entries()) {
    await one.run('peer.connect', { target: (ring[(at + 1) % 3] as TestNode).connectString });
  }
  const asker = await anchorNode(net, 'asker', { config, anchors: ring.map(({ connectString }) => connectString) });
  await net.advance(10 * MINUTE_MS);
  const asked = frames.filter(({ from, code }) => from === asker.id && code === referralRequest.code);
  t.is(asked.length, 1);
  const dialled = dialledBy(net, asker);
  t.is(new Set(dialled).size, dialled.length, dialled.join());
  t.is((await explain(asker)).rejoins.length, 1);
});
