import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { collect, connect, onceCollected, quicRig, type TestNode, until } from '../contract/transport-rig.ts';

const rig = quicRig();
const MB = 1_000_000;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Memory after everything that can be collected was: finalizers of native objects need a turn each. */
async function settledRss(): Promise<number> {
  for (let round = 0; round < 6; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return process.memoryUsage().rss;
}

/** Timers, sockets and other things that live in the event loop. */
const handles = (): number => process.getActiveResourcesInfo().length;

async function echo(from: TestNode, to: TestNode): Promise<void> {
  const connection = await connect(from, to);
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(Buffer.alloc(2_000, 1), true);
  await answer;
}

test.serial('500 connections in one process all work, and go', async (t) => {
  t.timeout(120_000);
  const hub = await rig.node();
  hub.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
  const before = await settledRss();
  const nodes: TestNode[] = [];
  for (let batch = 0; batch < 10; batch++) {
    const some = await Promise.all(Array.from({ length: 50 }, () => rig.node()));
    nodes.push(...some);
    await Promise.all(some.map((node) => connect(node, hub)));
  }
  await until(() => [...hub.endpoint.connections()].length === 500);
  await Promise.all(nodes.map((node) => echo(node, hub)));
  const during = await settledRss();
  t.log(`${((during - before) / MB / 500).toFixed(3)} MB for each node with its connection`);
  t.is([...hub.endpoint.connections()].length, 500);
  await Promise.all(nodes.map((node) => node.endpoint.close()));
  await until(() => [...hub.endpoint.connections()].length === 0);
  await hub.endpoint.close();
});

test.serial('2,000 connections opened and closed leave no handle and no memory', async (t) => {
  t.timeout(120_000);
  const a = await rig.node();
  const b = await rig.node();
  b.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
  const cycle = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await echo(a, b);
      for (const connection of a.endpoint.connections()) connection.close(0, 'done');
      // The test's own list must not be what keeps them.
      a.connections.length = 0;
      b.connections.length = 0;
    }
  };
  await cycle(500);
  const [handlesBefore, rssBefore] = [handles(), await settledRss()];
  await cycle(2_000);
  await until(() => [...b.endpoint.connections()].length === 0);
  const grown = (await settledRss()) - rssBefore;
  t.log(
    `${(grown / MB).toFixed(1)} MB grown over 2,000 connections; handles ${handlesBefore} before, ${handles()} after`,
  );
  // 2,000 kept connections would be over 100 MB of quiche's and BoringSSL's memory.
  t.true(grown < 20 * MB, `${grown} bytes`);
  t.true(handles() <= handlesBefore + 2);
  await a.endpoint.close();
  await b.endpoint.close();
});

test.serial('100,000 streams on one connection leave no memory', async (t) => {
  t.timeout(120_000);
  const a = await rig.node();
  const b = await rig.node();
  b.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
  const connection = await connect(a, b);
  const run = async (count: number): Promise<void> => {
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const stream = await connection.openBi();
        const answer = collect(stream);
        stream.write(Buffer.alloc(100, 1), true);
        await answer;
      }
    };
    await Promise.all(Array.from({ length: 40 }, lane));
  };
  await run(20_000);
  const before = await settledRss();
  await run(100_000);
  const grown = (await settledRss()) - before;
  t.log(`${(grown / MB).toFixed(1)} MB grown over 100,000 streams`);
  t.true(grown < 20 * MB, `${grown} bytes`);
  await a.endpoint.close();
  await b.endpoint.close();
});

test.serial('peers that vanish are noticed by the idle limit, and leave nothing', async (t) => {
  t.timeout(60_000);
  const hub = await rig.node({ limits: { idleMs: 1_500 } });
  const { UdpProxy } = await import('../transport/udp-proxy.ts');
  const proxies = await Promise.all(Array.from({ length: 20 }, () => UdpProxy.before(hub.address())));
  const nodes = await Promise.all(proxies.map(() => rig.node()));
  await Promise.all(
    nodes.map((node, index) => node.endpoint.dial({ addresses: [(proxies[index] as (typeof proxies)[0]).address] })),
  );
  await until(() => [...hub.endpoint.connections()].length === 20);
  // Kept alive by pings over more than two idle limits.
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  t.is([...hub.endpoint.connections()].length, 20, 'an idle peer that answers is kept');
  const started = Date.now();
  for (const proxy of proxies) proxy.loss = 1;
  await until(() => [...hub.endpoint.connections()].length === 0);
  const took = Date.now() - started;
  t.true(took > 500 && took < 4_000, `${took} ms`);
  t.true(hub.connections.every(({ closed }) => closed?.reason === 'idle-timeout' && closed.byPeer));
  for (const proxy of proxies) proxy.close();
  await Promise.all(nodes.map((node) => node.endpoint.close()));
  await hub.endpoint.close();
});

test.serial('handshakes that are begun and never finished are dropped after the dial limit', async (t) => {
  t.timeout(60_000);
  const hub = await rig.node({ limits: { dialMs: 600, retryAbovePendingHandshakes: 1_000, maxPendingHandshakes: 40 } });
  const { UdpProxy } = await import('../transport/udp-proxy.ts');
  const nodes = await Promise.all(Array.from({ length: 60 }, () => rig.node({ limits: { dialMs: 600 } })));
  const proxies = await Promise.all(nodes.map(() => UdpProxy.before(hub.address())));
  const dials = nodes.map((node, index) => {
    const proxy = proxies[index] as (typeof proxies)[0];
    // The client's first datagram passes, the server's answer does not.
    proxy.maxBytes = 65_535;
    const dial = node.endpoint.dial({ addresses: [proxy.address] });
    const stop = setInterval(() => {
      if (proxy.passed > 0) {
        proxy.loss = 1;
        clearInterval(stop);
      }
    }, 0);
    return dial.then(
      () => 'open',
      (error: { code: string }) => error.code,
    );
  });
  await Promise.all(dials);
  t.true((hub.endpoint.counters()['handshake-too-many-pending'] ?? 0) > 0);
  await new Promise((resolve) => setTimeout(resolve, 800));
  for (const proxy of proxies) proxy.close();
  const fresh = await rig.node();
  await connect(fresh, hub);
  t.pass('the half-open ones are gone: there is room');
  await Promise.all([...nodes, fresh].map((node) => node.endpoint.close()));
  await hub.endpoint.close();
});
