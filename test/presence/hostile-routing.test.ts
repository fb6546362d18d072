import { readNodeId } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { identityOf } from '../../kernel/identity/index.ts';
import { addressRecords } from '../../plugins/presence/address-record.ts';
import type { AddressRecord } from '../../plugins/presence/address-record.ts';
import { socialAddressUpdate, socialCheckin, socialDisconnectNotice } from '../../plugins/presence/messages.ts';
import { testIdentity } from '../content/world.ts';
import type { TestNode } from '../../kernel/testing/index.ts';
import { DAY_MS, HOUR_MS, quietNet } from './quiet-net.ts';

/** Somebody who is nowhere on the network; the tests sign in its name what a liar would. */
const bert = testIdentity('bert');
const mallory = testIdentity('mallory');

function signed(identity: typeof bert, addresses: string[], timestamp_ms: number, nodeId = identity.nodeId) {
  const nplus10 = [nodeId];
  const record = { node_id: nodeId, addresses, nplus10, timestamp_ms };
  return addressRecords.sign(identity, record);
}

interface Follow {
  addresses: string[];
  reach: string;
}
const routeOf = async (node: TestNode): Promise<Follow | undefined> =>
  (await node.run<{ follows: Follow[] }>('follow.list')).follows[0];

/** Anna follows bert, who is away, and is connected to a node that sends what it likes. */
async function world(t: import('ava').ExecutionContext) {
  const net = quietNet(t);
  const [anna, liar] = await net.start('anna', 'liar');
  await anna.run('follow.add', { target: bert.nodeId });
  await liar.run('peer.connect', { target: anna.connectString });
  await net.advance(10);
  const now = net.clock.now();
  const update = async (record: AddressRecord, online = false): Promise<void> => {
    await liar.kernel.network.sendTo(anna.id, socialAddressUpdate, { record, online });
    await net.advance(10);
  };
  const own = signed(identityOfNode(liar), [], now);
  const checkin = (asks: NodeId[], record = own) =>
    net.wait(liar.kernel.network.sendTo(anna.id, socialCheckin, { record, asks }));
  return { net, anna, liar, now, update, checkin };
}

/** The identity of a node of this test, for what its owner could sign by hand. */
function identityOfNode({ dataDir }: TestNode): typeof bert {
  const seed = (name: string): Uint8Array => new Uint8Array(readFileSync(join(dataDir, name)));
  return identityOf(seed('identity.key'), seed('device.key'));
}

test('a record passed on by anybody is taken when the contact signed it', async (t) => {
  const { anna, now, update } = await world(t);
  await update(signed(bert, ['5.6.7.50:4433'], now));
  t.deepEqual((await routeOf(anna))?.addresses, ['5.6.7.50:4433']);
});

test('a record with a field of a later version is taken, kept and passed on whole', async (t) => {
  const { anna, now, update, checkin } = await world(t);
  const fields = { node_id: bert.nodeId, addresses: ['5.6.7.50:4433'], nplus10: [bert.nodeId], timestamp_ms: now };
  const record = addressRecords.sign(bert, { ...fields, ...{ relays: ['x'] } });
  await update(record);
  await anna.reload('social');
  t.deepEqual((await checkin([bert.nodeId])).answers, [{ node_id: bert.nodeId, online: false, record }]);
  await update({ ...record, ...{ relays: [] }, timestamp_ms: now });
  t.deepEqual((await checkin([bert.nodeId])).answers[0]?.record, record);
});

test('a forged or altered record changes nothing and is held against who sent it', async (t) => {
  const { anna, now, update } = await world(t);
  await update(signed(mallory, ['5.6.7.66:1'], now, bert.nodeId));
  const genuine = signed(bert, ['5.6.7.50:4433'], now);
  await update({ ...genuine, addresses: ['5.6.7.66:1'] });
  await update({ ...genuine, nplus10: [bert.nodeId, mallory.nodeId] });
  await update({ ...genuine, timestamp_ms: now + 1 });
  t.deepEqual((await routeOf(anna))?.addresses, []);
  t.is(anna.counters('presence')['address-records-refused.forged'], 4);
});

test('an old record is no way to undo a newer one, and one from the future is refused', async (t) => {
  const { anna, now, update } = await world(t);
  const old = signed(bert, ['5.6.7.40:1'], now - HOUR_MS);
  await update(signed(bert, ['5.6.7.50:4433'], now));
  await update(old);
  await update(signed(bert, ['5.6.7.60:1'], now + HOUR_MS));
  t.deepEqual((await routeOf(anna))?.addresses, ['5.6.7.50:4433']);
  t.is(anna.counters('presence')['address-records-old'], 1);
  t.is(anna.counters('presence')['address-records-refused.future'], 1);
});

test('records of nodes that are no contacts are not kept', async (t) => {
  const { anna, now, update } = await world(t);
  await update(signed(mallory, ['5.6.7.66:1'], now));
  t.is(anna.counters('presence')['address-records-unwanted'], 1);
});

test('addresses of inside networks, of everybody and of nobody are not believed, nor are names', async (t) => {
  const { net, anna, now, update } = await world(t);
  const bad = ['10.0.0.1:22', '127.0.0.1:80', '169.254.169.254:80', '[fe80::1]:1', '224.0.0.1:1', '0.0.0.0:1'];
  await update(signed(bert, [...bad, 'victim.example:443', '5.6.7.50:4433'], now), true);
  t.deepEqual((await routeOf(anna))?.addresses, ['5.6.7.50:4433']);
  await net.advance(DAY_MS);
  const { dialled } = await anna.run<{ dialled: string[] }>('fake.state');
  t.true(dialled.length > 0);
  t.deepEqual(
    dialled.filter((address) => address !== '5.6.7.50:4433'),
    [],
  );
});

test('a stranger whose address a liar gives out is dialled no more often than check-ins are due', async (t) => {
  const { net, anna, now, update } = await world(t);
  const victim = '5.6.7.77:4433';
  for (let n = 0; n < 500; n++) {
    await update(signed(bert, [victim], now + n), true);
    await net.advance(10_000);
  }
  await net.advance(DAY_MS);
  const dials = net.dials.filter(({ from }) => from === anna.id).length;
  t.true(dials > 0 && dials <= 30, `${dials} dials in a day and a half`);
});

test('word of a departure counts only from those who were asked', async (t) => {
  const { net, anna, liar } = await world(t);
  await liar.kernel.network.sendTo(anna.id, socialDisconnectNotice, { node_id: bert.nodeId });
  await net.advance(10);
  t.is(anna.counters('presence')['disconnect-notices-unasked'], 1);
});

test('"online" from a peer nobody asked is not believed', async (t) => {
  const { anna, now, update } = await world(t);
  await update(signed(bert, ['5.6.7.50:4433'], now), true);
  t.is((await routeOf(anna))?.reach, 'none');
});

test('a flood of check-ins is turned away by its budget and leaves no rows for invented ids', async (t) => {
  const { anna, now, update, checkin } = await world(t);
  await update(signed(bert, ['5.6.7.50:4433'], now));
  const results: string[] = [];
  for (let n = 0; n < 200; n++) {
    const asks = Array.from({ length: 15 }, (_, k) => readNodeId((n * 15 + k + 1).toString(16).padStart(64, '0')));
    results.push(
      await checkin([...asks, bert.nodeId]).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      ),
    );
  }
  t.true(results.filter((result) => result === 'taken').length <= 13, results.slice(0, 20).join());
  t.true(results.includes('wire/rate-limited'));
  const { watchers } = anna.inspect('presence').diagnostics as { watchers: number };
  t.is(watchers, 1);
});

test('a check-in in the name of another node is refused', async (t) => {
  const { now, checkin } = await world(t);
  await t.throwsAsync(checkin([], signed(bert, [], now)), { code: 'wire/refused' });
});
