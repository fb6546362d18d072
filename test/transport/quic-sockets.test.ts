import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { collect, onceCollected, quicRig, until } from '../contract/transport-rig.ts';

const rig = quicRig();

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

test('datagrams of a connection that come to another socket move and disturb nothing', async (t) => {
  const a = await rig.node();
  const b = await rig.node();
  const further = await b.endpoint.openSocket();
  further.accept();
  const heard: Uint8Array[] = [];
  further.onDatagram = (datagram) => heard.push(datagram) > 0;
  // Between the two: whatever the dialler sends arrives at both sockets of the other.
  const [front, back] = [await bound(), await bound()];
  let dialler: { port: number; address: string } | undefined;
  let copies = false;
  front.on('message', (datagram, from) => {
    dialler = from;
    back.send(datagram, b.endpoint.port, '127.0.0.1');
    if (copies) back.send(datagram, further.port, '127.0.0.1');
  });
  back.on('message', (datagram) => front.send(datagram, dialler?.port, dialler?.address));
  t.teardown(async () => {
    for (const node of [a, b]) await node.endpoint.close();
    front.close();
    back.close();
  });
  b.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
  const connection = await a.endpoint.dial({
    addresses: [{ host: '127.0.0.1', port: front.address().port, family: 4 }],
  });
  copies = true;
  for (let round = 0; round < 20; round++) {
    const stream = await connection.openBi();
    const answer = collect(stream);
    stream.write(Buffer.alloc(20_000, round), true);
    t.is((await answer).length, 20_000);
  }
  await until(() => (b.endpoint.counters()['wrong-socket'] ?? 0) > 20);
  t.is(b.connections.length, 1);
  t.is(b.connections[0]?.remote.port, back.address().port);
  t.deepEqual(heard, []);
});

test('a closed further socket gives its port back once its connection has ended', async (t) => {
  const a = await rig.node();
  const b = await rig.node();
  t.teardown(async () => {
    for (const node of [a, b]) await node.endpoint.close();
  });
  const socket = await a.endpoint.openSocket();
  const connection = await a.endpoint.dial({ addresses: [b.address()], from: socket });
  socket.close();
  const taken = createSocket('udp6');
  taken.bind(socket.port, '::');
  const [error] = await once(taken, 'error');
  t.is((error as { code: string }).code, 'EADDRINUSE');
  taken.close();
  connection.close(0, 'done');
  // Bounded by the test's own time limit.
  for (let free = false; !free; ) {
    const attempt = createSocket('udp6');
    attempt.bind(socket.port, '::');
    free = await once(attempt, 'listening').then(
      () => true,
      () => false,
    );
    attempt.close();
  }
});
