import test from 'ava';
import { CLOSE_CODES } from '../../kernel/sdk/network.ts';
import type { Connection } from '../../kernel/transport/transport.ts';
import {
  aborted,
  collect,
  connect,
  onceCollected,
  type TestNode,
  type TransportRig,
  until,
  pairTest,
  refusal,
} from './transport-rig.ts';

/** What every Transport promises about dialling: limits, devices, crossing dials, restarts, capacity. */
export function transportDialContract(rig: TransportRig): void {
  const check = pairTest(rig);

  test(`${rig.name}: a dial into a black hole ends at its limit`, async (t) => {
    const a = await rig.node({ limits: { dialMs: 300 } });
    t.teardown(() => a.endpoint.close());
    const started = Date.now();
    await t.throwsAsync(a.endpoint.dial({ addresses: [await rig.blackHole()] }), { code: 'transport/dial-timeout' });
    const took = Date.now() - started;
    t.true(took >= 295 && took < 800, `${took} ms`);
  });

  check('a dial can be called off', async (t, a) => {
    const caller = new AbortController();
    const dial = a.endpoint.dial({ addresses: [await rig.blackHole()] }, caller.signal);
    caller.abort(new Error('called off'));
    await t.throwsAsync(dial, { message: 'called off' });
    t.deepEqual([...a.endpoint.connections()], []);
  });

  check('dialling a connected peer again gives the same connection', async (t, a, b) => {
    const first = await connect(a, b);
    t.is(await connect(a, b), first);
    await until(() => b.connections.length === 1);
    t.is(await connect(b, a), b.connections[0] as Connection);
    t.is(a.connections.length, 1);
    t.is(first.closed, undefined);
  });

  check('dials of one node at the same time share one connection', async (t, a, b) => {
    const all = await Promise.all(Array.from({ length: 5 }, () => connect(a, b)));
    t.is(new Set(all).size, 1);
    await until(() => b.connections.length === 1);
    t.is([...b.endpoint.connections()].length, 1);
  });

  test(`${rig.name}: two devices of one identity are two connections`, async (t) => {
    const { makeCredentials } = await import('../../kernel/identity/certificate.ts');
    const identity = Buffer.alloc(32, 77);
    const laptop = await rig.node({ credentials: makeCredentials(identity, Buffer.alloc(32, 78)) });
    const phone = await rig.node({ credentials: makeCredentials(identity, Buffer.alloc(32, 79)) });
    const friend = await rig.node();
    t.teardown(async () => {
      for (const node of [laptop, phone, friend]) await node.endpoint.close();
    });
    const one = await connect(friend, laptop);
    const two = await connect(friend, phone);
    t.is(one.peer.nodeId, two.peer.nodeId);
    t.not(one.peer.deviceId, two.peer.deviceId);
    t.is([...friend.endpoint.connections()].length, 2);
  });

  test(`${rig.name}: two dials that cross leave one connection, the same for both, and lose no message`, async (t) => {
    for (let round = 0; round < 40; round++) {
      const a = await rig.node();
      const b = await rig.node();
      const got: string[] = [];
      const listen = (node: TestNode): void => {
        node.onStream = (stream) => onceCollected(stream, (bytes) => got.push(String(bytes)));
      };
      listen(a);
      listen(b);
      const say = async (from: TestNode, to: TestNode, text: string): Promise<Connection> => {
        const connection = await connect(from, to);
        (await connection.openUni()).write(Buffer.from(text), true);
        return connection;
      };
      const later = async (): Promise<Connection> => {
        if (round % 4 > 0) await new Promise((resolve) => setTimeout(resolve, round % 4));
        return say(b, a, 'b');
      };
      const [fromA, fromB] = await Promise.all([say(a, b, 'a'), later()]);
      await until(() => got.length === 2);
      t.deepEqual([...got].sort(), ['a', 'b']);
      t.deepEqual([...a.endpoint.connections()], [fromA]);
      t.deepEqual([...b.endpoint.connections()], [fromB]);
      t.not(fromA.direction, fromB.direction, 'both ends of one connection');
      await a.endpoint.close();
      await b.endpoint.close();
    }
  });

  test(`${rig.name}: a restarted peer is let in at once, and its old connection goes`, async (t) => {
    const a = await rig.node();
    const before = await rig.node();
    t.teardown(() => a.endpoint.close());
    for (const dialler of ['a', 'peer'] as const) {
      const first = a.connections.length;
      const old = dialler === 'a' ? await connect(a, before) : await connect(before, a);
      await until(() => a.connections.length > first);
      const stale = dialler === 'a' ? old : (a.connections.at(-1) as Connection);
      // The old process is not closed: as if it had been killed, nobody answers for it.
      const restarted = await rig.node({ credentials: before.credentials });
      const known = a.connections.length;
      await connect(restarted, a);
      await until(() => a.connections.length > known);
      t.is([...a.endpoint.connections()].length, 1);
      const fresh = a.connections.at(-1) as Connection;
      t.not(fresh.id, stale.id);
      t.is(fresh.closed, undefined);
      t.is(stale.closed?.reason, 'duplicate-connection');
      await restarted.endpoint.close();
      await until(() => [...a.endpoint.connections()].length === 0);
    }
    await before.endpoint.close();
  });

  check('reconnecting during teardown 1,000 times keeps the new connection (MESH-10)', async (t, a, b) => {
    b.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
    let connection = await connect(a, b);
    for (let round = 0; round < 1_000; round++) {
      connection.close(CLOSE_CODES.done, 'done');
      const next = await connect(a, b);
      if (next.id === connection.id) t.fail('the closed connection came back');
      connection = next;
      if (round % 50 === 0) {
        const stream = await connection.openBi();
        const answer = collect(stream);
        stream.write(Buffer.from('still there'), true);
        t.is(String(await answer), 'still there');
      }
    }
    await until(() => [...b.endpoint.connections()].length === 1);
    t.deepEqual([...a.endpoint.connections()], [connection]);
    t.is(connection.closed, undefined);
    const open = b.connections.filter((other) => other.closed === undefined);
    t.is(open.length, 1);
  });

  test(`${rig.name}: a node at its limit of connections says so`, async (t) => {
    const full = await rig.node({ limits: { maxConnections: 1 } });
    const first = await rig.node();
    const second = await rig.node();
    t.teardown(async () => {
      for (const node of [full, first, second]) await node.endpoint.close();
    });
    await connect(first, full);
    await until(() => full.connections.length === 1);
    t.is(await refusal(connect(second, full)), 'over-capacity');
    t.is(full.endpoint.counters()['over-capacity'], 1);
  });

  // Ahead of those that measure times.
  test.serial(`${rig.name}: one host took every connection, and the node could not even dial its friend`, async (t) => {
    const friend = await rig.node();
    const full = await rig.node({
      limits: { maxConnections: 16, connectionsPerBlock: 3, connectionsKept: 4 },
      blocksOf: () => [{ name: 'one host', shares: 1 }],
      isKept: (nodeId) => nodeId === friend.credentials.self.nodeId,
    });
    const strangers = await Promise.all(Array.from({ length: 5 }, () => rig.node()));
    t.teardown(() => Promise.all([full, friend, ...strangers].map(({ endpoint }) => endpoint.close())));
    const open: Connection[] = [];
    for (const stranger of strangers.slice(0, 3)) open.push(await connect(stranger, full));
    await until(() => full.connections.length === 3);
    t.is(await refusal(connect(strangers[3] as TestNode, full)), 'over-capacity');
    await connect(friend, full);
    await until(() => full.connections.length === 4);
    await connect(full, strangers[3] as TestNode);
    open[0]?.close(CLOSE_CODES.done, 'done');
    await until(() => [...full.endpoint.connections()].length === 4);
    await connect(strangers[4] as TestNode, full);
    await until(() => full.connections.length === 6);
  });

  test.serial(`${rig.name}: strangers of many hosts leave places for own dials and contacts`, async (t) => {
    const friend = await rig.node();
    const full = await rig.node({
      limits: { maxConnections: 8 },
      blocksOf: () => [],
      isKept: (nodeId) => nodeId === friend.credentials.self.nodeId,
    });
    const strangers = await Promise.all(Array.from({ length: 8 }, () => rig.node()));
    t.teardown(() => Promise.all([full, friend, ...strangers].map(({ endpoint }) => endpoint.close())));
    for (const stranger of strangers.slice(0, 6)) await connect(stranger, full);
    await until(() => full.connections.length === 6);
    t.is(await refusal(connect(strangers[6] as TestNode, full)), 'over-capacity');
    await connect(friend, full);
    await until(() => full.connections.length === 7);
    await connect(full, strangers[7] as TestNode);
    await t.throwsAsync(connect(full, strangers[6] as TestNode), { code: 'transport/too-many-connections' });
  });

  check('a handler that throws costs only its stream', async (t, a, b) => {
    const errors = console.error;
    console.error = () => {};
    t.teardown(() => {
      console.error = errors;
    });
    b.onStream = (stream) => {
      stream.onData = (chunk, fin) => {
        if (chunk[0] === 1) throw new Error('handler');
        if (fin) stream.write(chunk.slice(), true);
      };
    };
    const connection = await connect(a, b);
    const bad = await connection.openBi();
    const abort = aborted(bad);
    bad.write(Buffer.from([1]), false);
    t.is((await abort).by, 'peer');
    const good = await connection.openBi();
    const answer = collect(good);
    good.write(Buffer.from([2]), true);
    t.deepEqual([...(await answer)], [2]);
  });

  check('bytes and datagrams are accounted for', async (t, a, b) => {
    b.onStream = (stream) => void collect(stream);
    const connection = await connect(a, b);
    (await connection.openUni()).write(Buffer.alloc(100_000), true);
    await until(() => (b.connections[0]?.stats().bytesIn ?? 0) > 100_000);
    t.true(connection.stats().bytesOut > 100_000);
    t.true(connection.stats().datagramBytes >= 1_200);
    const before = connection.stats();
    connection.close(0, 'done');
    t.true(connection.stats().bytesOut >= before.bytesOut, 'still there after the close');
  });
}
