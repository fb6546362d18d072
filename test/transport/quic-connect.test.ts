import test, { type ExecutionContext } from 'ava';
import { CLOSE_CODES } from '../../kernel/sdk/network.ts';
import type { QuicConnection } from '../../kernel/transport/quic/connection.ts';
import type { Connection } from '../../kernel/transport/transport.ts';
import { closed, collect, connect, onceCollected, quicRig, type TestNode, until } from '../contract/transport-rig.ts';
import { UdpProxy } from './udp-proxy.ts';

const rig = quicRig();

async function across(t: ExecutionContext): Promise<{ a: TestNode; b: TestNode; proxy: UdpProxy }> {
  const [a, b] = [await rig.node(), await rig.node()];
  const proxy = await UdpProxy.before(b.address());
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
    proxy.close();
  });
  b.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
  return { a, b, proxy };
}

async function echo(connection: Connection): Promise<string> {
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(Buffer.from('hello'), true);
  return String(await answer);
}

test('the first request goes out with the Hello and does not wait for the Accept', async (t) => {
  const { a, b, proxy } = await across(t);
  const read: string[] = [];
  b.onStream = (stream) => onceCollected(stream, (bytes) => read.push(String(bytes)));
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  t.is((connection as QuicConnection).incarnation, undefined, 'no Accept yet');
  proxy.muted = true;
  (await connection.openUni()).write(Buffer.from('hello'), true);
  await until(() => read.length === 1);
  t.deepEqual(read, ['hello']);
  t.is((connection as QuicConnection).incarnation, undefined);
});

test('while somebody at the same address dials us, a dial waits for the consent of its peer', async (t) => {
  const [a, b] = [await rig.node(), await rig.node()];
  t.teardown(() => Promise.all([a.endpoint.close(), b.endpoint.close()]));
  for (let round = 0; round < 20; round++) {
    const [fromA, fromB] = await Promise.all([connect(a, b), connect(b, a)]);
    const ends = [fromA, fromB] as QuicConnection[];
    t.true(ends.every(({ incarnation, isOpen }) => isOpen && incarnation !== undefined));
    fromA.close(CLOSE_CODES.done, 'done');
    await closed(fromB);
  }
});

test('a peer that takes the connection and never says so loses it at the dial limit', async (t) => {
  const a = await rig.node({ limits: { dialMs: 400 } });
  const b = await rig.node();
  const proxy = await UdpProxy.before(b.address());
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
    proxy.close();
  });
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  proxy.loss = 1;
  t.deepEqual(await closed(connection), { byPeer: false, code: undefined, reason: 'transport/dial-timeout' });
});

test('what a peer says of a connection that it had taken is no refusal', async (t) => {
  const { a, b } = await across(t);
  const connection = await connect(a, b);
  await until(() => b.connections.length === 1);
  t.is(await echo(connection), 'hello');
  b.connections[0]?.close(CLOSE_CODES['over-capacity'], 'refused');
  t.deepEqual(await closed(connection), { byPeer: true, code: 0x09, reason: 'over-capacity' });
});

test('a list of connections asks nothing of quiche', async (t) => {
  const { a, b } = await across(t);
  const connection = await connect(a, b);
  t.is(await echo(connection), 'hello');
  const { bytesIn, bytesOut } = connection.stats();
  t.true(bytesIn > 1_200 && bytesOut > 1_200);
  t.is(typeof connection.stats().rttMs, 'number');
  const { native } = connection as QuicConnection;
  for (const name of ['stats', 'pathStats'] as const)
    Object.defineProperty(native, name, { value: () => t.fail(`${name} was called`) });
  t.is(connection.stats().bytesIn, bytesIn);
});
