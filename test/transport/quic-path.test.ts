import test, { type ExecutionContext } from 'ava';
import { collect, onceCollected, pattern, quicRig, type TestNode, until } from '../contract/transport-rig.ts';
import { UdpProxy } from './udp-proxy.ts';

const rig = quicRig();
const MIB = 1024 * 1024;

async function across(t: ExecutionContext): Promise<{ a: TestNode; b: TestNode; proxy: UdpProxy }> {
  const a = await rig.node();
  const b = await rig.node();
  const proxy = await UdpProxy.before(b.address());
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
    proxy.close();
  });
  return { a, b, proxy };
}

test('a path that carries large datagrams gets them, after a probe said so', async (t) => {
  const { a, b, proxy } = await across(t);
  b.onStream = (stream) => onceCollected(stream, () => stream.write(Buffer.from('ok'), true));
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  t.is(connection.stats().datagramBytes, 1_200);
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(pattern(2 * MIB), true);
  await answer;
  t.is(connection.stats().datagramBytes, 16_383);
  t.is(proxy.largest, 16_383);
});

test('a path that loses large datagrams is used with the largest that pass', async (t) => {
  for (const [limit, expected] of [
    [1_200, 1_200],
    [1_400, 1_350],
    [1_472, 1_452],
    [9_000, 8_952],
  ] as const) {
    const { a, b, proxy } = await across(t);
    proxy.maxBytes = limit;
    const sent = pattern(MIB);
    let whole = false;
    b.onStream = (stream) =>
      onceCollected(stream, (bytes) => {
        whole = bytes.equals(sent);
        stream.write(Buffer.from('ok'), true);
      });
    const connection = await a.endpoint.dial({ addresses: [proxy.address] });
    const stream = await connection.openBi();
    const answer = collect(stream);
    stream.write(Buffer.from(sent), true);
    await answer;
    t.true(whole);
    await until(() => connection.stats().datagramBytes === expected);
    t.is(connection.stats().datagramBytes, expected);
  }
});

test('a path that shrinks under a transfer is noticed, and the transfer completes', async (t) => {
  const { a, b, proxy } = await across(t);
  const sent = pattern(8 * MIB);
  let received = 0;
  let whole = false;
  b.onStream = (stream) => {
    const parts: Buffer[] = [];
    stream.onData = (chunk, fin) => {
      parts.push(Buffer.from(chunk));
      received += chunk.length;
      // The route changes: nothing over 1,200 bytes passes any more.
      if (received > 2 * MIB) proxy.maxBytes = 1_200;
      if (!fin) return;
      whole = Buffer.concat(parts).equals(sent);
      stream.write(Buffer.from('ok'), true);
    };
  };
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(Buffer.from(sent), true);
  t.is(String(await answer), 'ok');
  t.true(whole);
  t.true(proxy.lost > 0, 'the path did shrink');
  t.is(connection.stats().datagramBytes, 1_200);
  t.is(a.endpoint.counters()['path-shrunk'], 1);
});

test('a connection survives its NAT giving it another port', async (t) => {
  const { a, b, proxy } = await across(t);
  b.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  const echo = async (text: string): Promise<string> => {
    const stream = await connection.openBi();
    const answer = collect(stream);
    stream.write(Buffer.from(text), true);
    return String(await answer);
  };
  t.is(await echo('before'), 'before');
  const inbound = b.connections[0];
  const before = inbound?.remote.port;
  await proxy.rebind();
  t.is(await echo('after'), 'after');
  t.not(inbound?.remote.port, before);
  t.is(inbound?.closed, undefined);
  t.is(await echo('again'), 'again');
});

test('under load a client proves its address by a Retry and gets in', async (t) => {
  const b = await rig.node({ limits: { retryAbovePendingHandshakes: 0 } });
  t.teardown(() => b.endpoint.close());
  const nodes = await Promise.all(Array.from({ length: 20 }, () => rig.node()));
  await Promise.all(
    nodes.map((node) => node.endpoint.dial({ addresses: [b.address()], expect: b.credentials.self.nodeId })),
  );
  await until(() => [...b.endpoint.connections()].length === 20);
  t.true((b.endpoint.counters()['retry-sent'] ?? 0) >= 20);
  await Promise.all(nodes.map((node) => node.endpoint.close()));
});

test('a peer that missed the close is told again when it goes on sending', async (t) => {
  const { a, b, proxy } = await across(t);
  b.onStream = () => {};
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  await until(() => b.connections.length === 1);
  const first = await connection.openBi();
  first.write(Buffer.from('x'), false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  proxy.loss = 1;
  b.connections[0]?.close(8, 'user-request');
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(connection.closed, undefined, 'the close was lost');
  proxy.loss = 0;
  first.write(Buffer.from('y'), false);
  await until(() => connection.closed !== undefined);
  t.deepEqual(connection.closed, { byPeer: true, code: 8, reason: 'user-request' });
});
