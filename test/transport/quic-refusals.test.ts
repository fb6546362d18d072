import { createSocket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { type Credentials, makeCredentials } from '../../kernel/identity/certificate.ts';
import {
  closed,
  collect,
  connect,
  freshCredentials,
  quicRig,
  type TestNode,
  until,
} from '../contract/transport-rig.ts';

const rig = quicRig();

async function pair(t: ExecutionContext, credentials?: Credentials): Promise<{ a: TestNode; b: TestNode }> {
  const a = await rig.node(credentials === undefined ? {} : { credentials });
  const b = await rig.node();
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
  });
  return { a, b };
}

const pemBlocks = (pem: string): string[] =>
  (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []) as string[];

/** A credential whose chain was tampered with, while the device key still fits the leaf. */
function withChain(change: (leaf: string, root: string) => string): Credentials {
  const good = freshCredentials();
  const [leaf, root] = pemBlocks(good.certificateChainPem) as [string, string];
  return { ...good, certificateChainPem: change(leaf, root) };
}

const seed = (byte: number): Buffer => Buffer.alloc(32, byte);

const BAD: Record<string, () => Credentials> = {
  'a chain without its root': () => withChain((leaf) => leaf),
  'a chain with a certificate too many': () => withChain((leaf, root) => leaf + root + root),
  'a root of somebody else': () => withChain((leaf) => leaf + pemBlocks(freshCredentials().certificateChainPem)[1]),
  'an expired certificate': () =>
    makeCredentials(seed(201), seed(202), { notBeforeMs: 0, notAfterMs: Date.UTC(2020, 0, 1) }),
  'a certificate from the future': () =>
    makeCredentials(seed(203), seed(204), { notBeforeMs: Date.UTC(2200, 0, 1), notAfterMs: Date.UTC(2300, 0, 1) }),
  'a certificate of another form': () => ({
    ...freshCredentials(),
    certificateChainPem: FOREIGN_PEM.repeat(2),
    deviceKeyPem: FOREIGN_KEY,
  }),
  'an oversized certificate': () => ({
    ...freshCredentials(),
    certificateChainPem: LARGE_PEM.repeat(2),
    deviceKeyPem: FOREIGN_KEY,
  }),
};

for (const [name, credentials] of Object.entries(BAD)) {
  test(`${name} is refused when it dials, before any stream is read`, async (t) => {
    const { a, b } = await pair(t, credentials());
    b.onStream = () => t.fail('a stream was read');
    const connection = await a.endpoint.dial({ addresses: [b.address()] });
    (await connection.openUni()).write(Buffer.from('sent with the Hello'), true);
    t.deepEqual(await closed(connection), { byPeer: true, code: 3, reason: 'bad-certificate', refused: true });
    t.is(b.connections.length, 0);
    t.deepEqual([...a.endpoint.connections()], []);
    t.is(b.endpoint.counters()['bad-certificate'], 1);
  });

  test(`${name} is refused when it is dialled`, async (t) => {
    const { a, b } = await pair(t, credentials());
    const error = await t.throwsAsync<Error & { code: string }>(b.endpoint.dial({ addresses: [a.address()] }));
    t.is(error?.code, 'transport/bad-certificate');
    t.is(b.connections.length, 0);
    t.is(a.connections.length, 0);
  });
}

test('garbage is dropped and counted, and costs nothing lasting', async (t) => {
  const { a, b } = await pair(t);
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const random = (length: number, seedOf: number): Buffer =>
    Buffer.from(Array.from({ length }, (_, at) => (Math.imul(at + 1, seedOf * 2 + 1) >>> 7) & 0xff));
  for (let i = 0; i < 4_000; i++) {
    const datagram = random([0, 1, 5, 8, 21, 40, 200, 1_200, 1_400][i % 9] as number, i);
    // All first bytes, and often the look of an Initial packet of the right version.
    if (datagram.length > 0) datagram[0] = i & 0xff;
    if (i % 3 === 0 && datagram.length > 8) datagram.set([0xc0 | (i & 0x3), 0, 0, 0, 1, 8], 0);
    socket.send(datagram, b.endpoint.port, '127.0.0.1');
    if (i % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => (b.endpoint.counters().garbage ?? 0) > 100);
  t.is(b.connections.length, 0);
  const connection = await connect(a, b);
  b.onStream = (stream) => stream.write(Buffer.from('alive'), true);
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(Buffer.from('?'), true);
  t.is(String(await answer), 'alive');
});

test('noise on the port of a live connection does not disturb it', async (t) => {
  const { a, b } = await pair(t);
  b.onStream = (stream) => {
    collect(stream).then(
      (bytes) => stream.write(bytes, true),
      () => {},
    );
  };
  const connection = await connect(a, b);
  await until(() => b.connections.length === 1);
  const native = (b.connections[0] as unknown as { native: { sourceId(): Uint8Array } }).native;
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  for (let i = 0; i < 500; i++) {
    // Addressed to the very connection, but not by its peer.
    const datagram = Buffer.alloc(60 + (i % 900), i);
    datagram[0] = 0x40 | (i & 0x3f);
    datagram.set(native.sourceId(), 1);
    socket.send(datagram, b.endpoint.port, '127.0.0.1');
  }
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(Buffer.alloc(300_000, 5), true);
  t.is((await answer).length, 300_000);
  t.is(connection.closed, undefined);
});

test('an unknown QUIC version is answered with those we speak', async (t) => {
  const { b } = await pair(t);
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
  const initial = Buffer.alloc(1_200);
  initial.set([0xc0, 0x0a, 0x1a, 0x2a, 0x3a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9]);
  socket.send(initial, b.endpoint.port, '127.0.0.1');
  const reply = await answer;
  t.is(reply.readUInt32BE(1), 0, 'version 0 marks a version negotiation');
  t.true(reply.includes(Buffer.from([0, 0, 0, 1])), 'offers version 1');
  t.is(b.endpoint.counters()['version-negotiation'], 1);
});

test('a source over its handshake budget waits, others do not', async (t) => {
  const a = await rig.node();
  const b = await rig.node({ limits: { handshakesPerSecondPerIp: 10 } });
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
  });
  const one = async (): Promise<void> => {
    const node = await rig.node();
    await connect(node, b);
    await node.endpoint.close();
  };
  await Promise.all(Array.from({ length: 14 }, one));
  t.true((b.endpoint.counters()['handshake-over-budget'] ?? 0) > 0);
});

// Ed25519, self-signed, made with `openssl req -x509 -newkey ed25519 -days 36500 -subj /CN=foreign`; the second with a long comment.
const FOREIGN_KEY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIBlUAMqD4kp6Tfn+UlI7a8OVPvnYl7mv96vLIjoFO6Ql
-----END PRIVATE KEY-----
`;
const FOREIGN_PEM = `-----BEGIN CERTIFICATE-----
MIIBOjCB7aADAgECAhRyiaCgZMjgNkDZvDhz3AwglLlDnDAFBgMrZXAwEjEQMA4G
A1UEAwwHZm9yZWlnbjAgFw0yNjExMjEwODUzMzhaGA8yMTI2MTAyODA4NTMzOFow
EjEQMA4GA1UEAwwHZm9yZWlnbjAqMAUGAytlcAMhAOC7uY4i7vd8STP/fvoeIkyl
Ez4/5F6nHe9uKRMwUpIMo1MwUTAdBgNVHQ4EFgQU/MCZS0fvqU2FaqbxVCU99dvJ
m7wwHwYDVR0jBBgwFoAU/MCZS0fvqU2FaqbxVCU99dvJm7wwDwYDVR0TAQH/BAUw
AwEB/zAFBgMrZXADQQCSh9cPr/DRnsCgyoF2jbc1Ac75Jms2OIVOp9RqZozW9baT
gjk59LRTXBgwV5m77h2Vgo5x3KYCoq1TzJGI5VAP
-----END CERTIFICATE-----
`;
const LARGE_PEM = `-----BEGIN CERTIFICATE-----
MIIGBjCCBbigAwIBAgIUBWCXpNmoVMxYdnLSLqGncYHCGmEwBQYDK2VwMBIxEDAO
BgNVBAMMB2ZvcmVpZ24wIBcNMjYxMTIxMDg1MzM4WhgPMjEyNjEwMjgwODUzMzha
MBIxEDAOBgNVBAMMB2ZvcmVpZ24wKjAFBgMrZXADIQDgu7mOIu73fEkz/376HiJM
pRM+P+Repx3vbikTMFKSDKOCBRwwggUYMB0GA1UdDgQWBBT8wJlLR++pTYVqpvFU
JT3128mbvDAfBgNVHSMEGDAWgBT8wJlLR++pTYVqpvFUJT3128mbvDAPBgNVHRMB
Af8EBTADAQH/MIIEwwYJYIZIAYb4QgENBIIEtBaCBLB4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4
eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHgwBQYDK2VwA0EAhHuGC8dW
xcIv6kIP78idERsc3oNvyqApSfPEVw+BoaPfL5ITDtB+9NTbNIZGKhAKVm2yuTrs
6dhsDIJ0zsPeAA==
-----END CERTIFICATE-----
`;
