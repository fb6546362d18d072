import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { memoryNetwork } from '../../kernel/transport/index.ts';
import type { Connection, Endpoint } from '../../kernel/transport/transport.ts';
import { collect, freshCredentials, onceCollected, silentLog, simpleCounters } from '../contract/transport-rig.ts';

interface Node {
  readonly endpoint: Endpoint;
  readonly host: string;
  readonly got: string[];
}

function world() {
  const clock = new VirtualClock();
  const network = memoryNetwork({ clock, random: seededRandom(7), log: silentLog, counters: simpleCounters });
  const node = async (host: string): Promise<Node> => {
    const got: string[] = [];
    const endpoint = await network.transport(host).open({
      credentials: freshCredentials(),
      onConnection: (connection) => {
        connection.onStream = (stream) => onceCollected(stream, (bytes) => got.push(String(bytes)));
      },
    });
    return { endpoint, host, got };
  };
  /** Runs a promise to its end on the virtual clock. */
  const run = async <T>(promise: Promise<T>, limitMs = 60_000): Promise<T> => {
    let done = false;
    promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    for (let passed = 0; !done && passed < limitMs; passed += 10) await clock.advance(10);
    return promise;
  };
  const dial = (from: Node, to: Node): Promise<Connection> =>
    run(from.endpoint.dial({ addresses: [{ host: to.host, port: to.endpoint.port, family: 4 }] }));
  const say = async (connection: Connection, text: string): Promise<void> => {
    (await connection.openUni()).write(Buffer.from(text), true);
  };
  return { clock, network, node, run, dial, say };
}

test('a message takes the latency of its link', async (t) => {
  const { clock, network, node, dial, say } = world();
  const [a, b] = [await node('10.0.0.1'), await node('10.0.0.2')];
  network.setLink(a.host, b.host, { latencyMs: 150 });
  const connection = await dial(a, b);
  await say(connection, 'hello');
  await clock.advance(149);
  t.deepEqual(b.got, []);
  await clock.advance(1);
  t.deepEqual(b.got, ['hello']);
  t.is(connection.stats().rttMs, 300);
});

test('jitter never reorders', async (t) => {
  const { clock, network, node, dial } = world();
  const [a, b] = [await node('10.0.0.1'), await node('10.0.0.2')];
  network.setDefaultLink({ latencyMs: 10, jitterMs: 200 });
  const stream = await (await dial(a, b)).openUni();
  const expected = Array.from({ length: 200 }, (_, at) => `${at},`).join('');
  for (let at = 0; at < 200; at++) stream.write(Buffer.from(`${at},`), at === 199);
  await clock.advance(1_000);
  t.deepEqual(b.got, [expected]);
});

test('a partition holds messages back, and healing in time delivers them', async (t) => {
  const { clock, network, node, dial, say } = world();
  const [a, b] = [await node('10.0.0.1'), await node('10.0.0.2')];
  const connection = await dial(a, b);
  network.partition([[a.host], [b.host]]);
  await say(connection, 'waits');
  await clock.advance(20_000);
  t.deepEqual(b.got, []);
  t.is(connection.closed, undefined);
  network.heal();
  await clock.advance(1);
  t.deepEqual(b.got, ['waits']);
});

test('a partition that lasts ends the connections, and no dial crosses it', async (t) => {
  const { clock, network, node, dial } = world();
  const [a, b] = [await node('10.0.0.1'), await node('10.0.0.2')];
  const connection = await dial(a, b);
  network.partition([[a.host], [b.host]]);
  await clock.advance(30_001);
  t.is(connection.closed?.reason, 'idle-timeout');
  t.deepEqual([...b.endpoint.connections()], []);
  await t.throwsAsync(dial(a, b), { code: 'transport/dial-timeout' });
  network.heal();
  t.is((await dial(a, b)).closed, undefined);
});

test('a machine that vanishes is missed after the idle limit, and may come back', async (t) => {
  const { clock, network, node, dial } = world();
  const [a, b] = [await node('10.0.0.1'), await node('10.0.0.2')];
  const connection = await dial(a, b);
  network.vanish(b.host);
  await clock.advance(29_000);
  t.is(connection.closed, undefined);
  await clock.advance(1_001);
  t.deepEqual(connection.closed, { byPeer: true, code: undefined, reason: 'idle-timeout' });
  t.is((await dial(a, await node(b.host))).closed, undefined);
});

test('a broken connection ends at both sides at once', async (t) => {
  const { network, node, dial } = world();
  const [a, b] = [await node('10.0.0.1'), await node('10.0.0.2')];
  const connection = await dial(a, b);
  const stream = await connection.openBi();
  const answer = collect(stream);
  network.breakConnections(a.host, b.host);
  t.is(connection.closed?.reason, 'transport/lost');
  await t.throwsAsync(
    answer.catch((reason) => Promise.reject(new Error(reason.by))),
    { message: 'connection' },
  );
  t.deepEqual([...b.endpoint.connections()], []);
});

test('a share of the dials fails as told', async (t) => {
  const { network, node, dial } = world();
  network.setDefaultLink({ dialFailure: 0.5 });
  const hub = await node('10.0.0.1');
  let failed = 0;
  for (let at = 2; at < 62; at++) {
    const one = await node(`10.0.0.${at}`);
    await dial(one, hub).catch(() => failed++);
  }
  t.true(failed > 15 && failed < 45, `${failed} of 60`);
});

test('a route decides where packets arrive and whom they seem to come from', async (t) => {
  const { network, node, run } = world();
  const [a, b] = [await node('192.168.0.2'), await node('10.0.0.2')];
  const outside = { host: '203.0.113.5', port: 61_000, family: 4 } as const;
  network.route = (from, to) => ({
    to: to.host === '198.51.100.1' ? (b.endpoint.localAddresses()[0] ?? to) : to,
    seenAs: from.host === a.host ? outside : from,
  });
  await run(a.endpoint.dial({ addresses: [{ host: '198.51.100.1', port: 1, family: 4 }] }));
  t.deepEqual(
    [...b.endpoint.connections()].map(({ remote }) => remote),
    [outside],
  );
});

test('300 nodes with 100 connections each are cheap, and idle ones set no timer', async (t) => {
  t.timeout(60_000);
  const { clock, node, run } = world();
  const nodes = await Promise.all(Array.from({ length: 300 }, (_, at) => node(`10.1.${at >> 8}.${at & 255}`)));
  const before = process.memoryUsage().heapUsed;
  const dials: Promise<Connection>[] = [];
  nodes.forEach((from, at) => {
    for (let step = 1; step <= 50; step++) {
      const to = nodes[(at + step) % nodes.length] as Node;
      dials.push(from.endpoint.dial({ addresses: [{ host: to.host, port: to.endpoint.port, family: 4 }] }));
    }
  });
  await run(Promise.all(dials));
  const perEnd = (process.memoryUsage().heapUsed - before) / 30_000;
  t.true(nodes.every(({ endpoint }) => [...endpoint.connections()].length === 100));
  t.is(clock.pending, 0);
  t.true(perEnd < 12_000, `${perEnd} bytes, garbage included`);
});

test('one address took all 1,024 connections', async (t) => {
  const { node, dial } = world();
  const target = await node('198.51.100.1');
  let refused = 0;
  for (let n = 0; n < 40; n++) {
    const stranger = await node('203.0.113.9');
    await dial(stranger, target).catch(() => refused++);
  }
  t.is([...target.endpoint.connections()].length, 32);
  t.is(refused, 8);
  const other = await node('203.0.113.10');
  await dial(other, target);
  t.is([...target.endpoint.connections()].length, 33);
});
