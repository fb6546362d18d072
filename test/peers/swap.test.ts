import test from 'ava';
import type { ExecutionContext } from 'ava';
import { codeOf } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { TestNode } from '../../kernel/testing/index.ts';
import { PEERS } from '../../plugins/peers/api.ts';
import { meshNet, peerIds } from '../mesh/mesh-net.ts';

/** What a swap may hold its callers for, whatever is under way. */
const HELD_MAX_MS = 50;

/** Begins to connect, as another plugin does: at an address, or by a search. */
function connect(node: TestNode, nodeId: NodeId, at?: string): Promise<string> {
  const where = at === undefined ? {} : { at: [at] };
  return node.kernel.host
    .service(PEERS)
    .use((peers, signal) => peers.connect({ nodeId, ...where, purpose: 'user', signal }), { restart: true })
    .then(({ peer }) => peer.nodeId, codeOf);
}

async function reload(t: ExecutionContext, node: TestNode, plugin: string): Promise<void> {
  const startedMs = node.clock.monotonic();
  const { outcome, heldMs } = await node.reload(plugin);
  t.is(outcome, 'committed');
  t.true(heldMs <= HELD_MAX_MS, `${plugin} held for ${heldMs} ms`);
  await node.service(PEERS, (peers) => peers.peers());
  t.true(node.clock.monotonic() - startedMs <= HELD_MAX_MS, 'a caller waited longer');
}

for (const [stage, afterMs] of Object.entries({ dials: 300, 'waits for the handshake': 1_900 })) {
  test(`a swap of peers held its callers for a second while a connect ${stage}, which is answered and made once`, async (t) => {
    const net = meshNet(t);
    const [anna, bert] = await net.start('anna', 'bert');
    net.link({ latencyMs: 600 });
    const connecting = connect(anna, bert.id, bert.address);
    await net.advance(afterMs);
    t.deepEqual(await peerIds(anna), []);
    await reload(t, anna, 'peers');
    t.is(await anna.wait(connecting, 'the connect'), bert.id);
    await net.advance(5_000);
    t.deepEqual(await peerIds(bert), [anna.id]);
    t.is(anna.connections().length, 1);
    t.is(bert.connections().length, 1);
  });
}

test('swaps of peers and lookup held their callers for a second while a node that is off was looked for', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(1_000);
  await net.kill(bert);
  await net.advance(60_000);
  t.deepEqual(await peerIds(anna), []);
  const connecting = connect(anna, bert.id);
  for (const plugin of ['peers', 'lookup', 'lookup', 'peers']) {
    await net.advance(200);
    t.is(anna.inspect('lookup').diagnostics.searching, 1);
    await reload(t, anna, plugin);
  }
  t.is(await anna.wait(connecting, 'the connect'), 'resolve/unreachable');
});
