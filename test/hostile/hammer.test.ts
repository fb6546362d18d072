import { readNodeId } from '../../kernel/index.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { identityOf } from '../../kernel/identity/index.ts';
import type { AnyMessage, BodyOf } from '../../kernel/index.ts';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { anchorTalk, probeRequest } from '../../plugins/anchors/messages.ts';
import { addressRequest } from '../../plugins/lookup/messages.ts';
import { FAILURES_PER_ADDRESS, FAILURES_PER_SITE } from '../../plugins/peers/dial-budget.ts';
import { initialExchange } from '../../plugins/peers/messages.ts';
import { addressRecords } from '../../plugins/presence/address-record.ts';
import { socialAddressUpdate } from '../../plugins/presence/messages.ts';
import { anchorNet, anchorNode } from '../anchors/anchor-net.ts';
import { CORE } from '../mesh/mesh-net.ts';

const PLUGINS = [...CORE, 'anchors', 'social', 'presence', 'worm-search', 'keep-alive'];
const VICTIM = '5.7.7.7';
const LIARS = 8;

/** Any public address of the victim; the same few ones come back from liar to liar. */
const somewhere = (at: number): string[] => [1, 2, 3].map((n) => `${VICTIM}:${4_000 + ((at + n) % 5)}`);

/** anna is an anchor, follows all the liars, and looks for people; each liar names the victim in every way there is. */
async function siege(t: ExecutionContext) {
  const net = anchorNet(t);
  const places: string[] = [];
  const anna = await anchorNode(net, 'anna', { builtin: PLUGINS, config: { anchors: { declare: true } } });
  const { network } = anna.kernel;
  const dial = network.dial.bind(network);
  network.dial = (target, options) => {
    places.push(...target.addresses.filter((address) => address.startsWith(VICTIM)));
    return dial(target, options);
  };
  const liars: TestNode[] = [];
  for (let at = 0; at < LIARS; at++) {
    const liar = await anchorNode(net, `liar${at}`, {
      builtin: [...CORE, 'anchors', 'social', 'presence'],
      config: { mesh: { growth: false } },
    });
    await anna.run('follow.add', { target: liar.connectString });
    liars.push(liar);
  }
  await net.advance(1_000);
  return { net, anna, liars, places };
}

const say = <M extends AnyMessage>(net: TestNetwork, from: TestNode, to: TestNode, message: M, body: BodyOf<M>) =>
  net.wait(from.kernel.network.sendTo(to.id, message, body).catch((error: { code: string }) => error.code));

/** What its owner could sign by hand. */
function identity({ dataDir }: TestNode) {
  const seed = (name: string): Uint8Array => new Uint8Array(readFileSync(join(dataDir, name)));
  return identityOf(seed('identity.key'), seed('device.key'));
}

test('one stranger named by many liars, in every way there is, has what one liar could do to it', async (t) => {
  const { net, anna, liars, places } = await siege(t);
  for (const [at, liar] of liars.entries()) {
    const own = identity(liar);
    const addresses = somewhere(at);
    const unsigned = { node_id: liar.id, addresses, nplus10: [liar.id], timestamp_ms: net.clock.now() };
    const record = addressRecords.sign(own, unsigned);
    await say(net, liar, anna, socialAddressUpdate, {
      record: { ...record, addresses, nplus10: [liar.id] },
      online: true,
    });
    const anchors = [1, 2].map((n) => ({ node_id: readNodeId(`${at}${n}`.repeat(32)), addresses }));
    await say(net, liar, anna, anchorTalk, { is_anchor: false, addresses: [], anchors });
    const probe = {
      probe_id: '0'.repeat(32),
      candidate: readNodeId(`${at}3`.repeat(32)),
      target_addr: addresses[0] as string,
    };
    const ask = { ...probe, witness: anna.id, return_via: liar.id };
    liar.kernel.network.sendTo(anna.id, probeRequest, ask).catch(() => undefined);
    await say(net, liar, anna, initialExchange, {
      protocol: 1,
      node_id: liar.id,
      device_id: liar.kernel.self.deviceId,
      features: [],
      features_revision: 99,
      nplus10: [liar.id],
      nat_type: 'public',
      addresses,
      your_observed_addr: '',
      sections: {},
    });
    // The rest is for anna to do: she redials, checks in, and looks for who has gone.
    await liar.stop();
  }
  await net.advance(60_000);
  const { signal } = new AbortController();
  for (const { id } of liars) {
    anna.kernel.host.run('search', { id }, { signal, progress() {} }).catch(() => undefined);
  }
  await net.advance(7 * 60_000);
  t.true(places.length >= FAILURES_PER_ADDRESS, `${places.length} dials`);
  t.true(places.length <= FAILURES_PER_SITE, `${places.length} dials of one site`);
  for (const place of new Set(places)) {
    t.true(places.filter((one) => one === place).length <= FAILURES_PER_ADDRESS, place);
  }
});

test('a question about ids nobody has makes the asked node dial nobody', async (t) => {
  const { net, anna, liars, places } = await siege(t);
  const before = net.dials.length;
  for (let at = 0; at < 20; at++) {
    await say(net, liars[0] as TestNode, anna, addressRequest, {
      target: readNodeId(at.toString(16).padStart(64, 'e')),
      hops: 1,
    });
  }
  t.is(net.dials.slice(before).filter(({ from }) => from === anna.id).length, 0);
  t.is(places.length, 0);
});
