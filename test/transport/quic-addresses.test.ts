import test from 'ava';
import { collect, connect, quicRig, until } from '../contract/transport-rig.ts';

const rig = quicRig();

test('IPv4, IPv6 and mapped addresses reach a dual-stack node, and peers show plain addresses (MESH-11)', async (t) => {
  const b = await rig.node();
  t.teardown(() => b.endpoint.close());
  const { port } = b.endpoint;
  for (const [host, family, shown] of [
    ['127.0.0.1', 4, '127.0.0.1'],
    ['::1', 6, '::1'],
  ] as const) {
    const a = await rig.node();
    const connection = await a.endpoint.dial({ addresses: [{ host, port, family }] });
    await until(() => b.connections.some((other) => other.closed === undefined));
    const inbound = b.connections.at(-1);
    t.is(connection.remote.host, shown);
    t.deepEqual(inbound?.remote, { host: shown, port: a.endpoint.port, family });
    await a.endpoint.close();
  }
});

test('a node bound to one IPv4 address is reached there and dials from there', async (t) => {
  const a = await rig.node({ bind: { host: '127.0.0.1', port: 0, family: 4 } });
  const b = await rig.node();
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
  });
  t.deepEqual(a.endpoint.localAddresses(), [{ host: '127.0.0.1', port: a.endpoint.port, family: 4 }]);
  b.onStream = (stream) => stream.write(Buffer.from('ok'), true);
  const stream = await (await connect(a, b)).openBi();
  const answer = collect(stream);
  stream.write(Buffer.from('?'), true);
  t.is(String(await answer), 'ok');
  await t.throwsAsync(a.endpoint.dial({ addresses: [{ host: '::1', port: b.endpoint.port, family: 6 }] }), {
    code: 'transport/unreachable',
  });
});

test('local addresses name no wildcard', async (t) => {
  const a = await rig.node();
  t.teardown(() => a.endpoint.close());
  const hosts = a.endpoint.localAddresses().map(({ host }) => host);
  t.true(hosts.includes('127.0.0.1'));
  t.false(hosts.includes('::') || hosts.includes('0.0.0.0'));
  t.false(hosts.some((host) => host.startsWith('fe80')));
});

test('a port in use is a clear error', async (t) => {
  const a = await rig.node();
  t.teardown(() => a.endpoint.close());
  await t.throwsAsync(rig.node({ bind: { host: '::', port: a.endpoint.port, family: 6 } }), {
    code: 'transport/bind-failed',
  });
});
