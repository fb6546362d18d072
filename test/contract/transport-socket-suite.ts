import test, { type ExecutionContext } from 'ava';
import type { Connection, EndpointSocket, SocketAddress } from '../../kernel/transport/transport.ts';
import { collect, connect, onceCollected, pairTest, type TestNode, type TransportRig, until } from './transport-rig.ts';

/** 20 bytes with the magic cookie: a STUN binding request without attributes. */
const STUN = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');

/** Where a node's further socket is reached. */
function addressOf(node: TestNode, socket: EndpointSocket): SocketAddress {
  return { ...node.address(), port: socket.port };
}

/** What arrives at a socket beside QUIC, as text. */
function heard(socket: EndpointSocket): { text: string; from: SocketAddress }[] {
  const all: { text: string; from: SocketAddress }[] = [];
  socket.onDatagram = (datagram, from) => {
    all.push({ text: Buffer.from(datagram).toString('latin1'), from });
    return true;
  };
  return all;
}

async function echoes(t: ExecutionContext, connection: Connection): Promise<void> {
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(Buffer.from('still there'), true);
  t.is(String(await answer), 'still there');
}

function echo(node: TestNode): void {
  node.onStream = (stream) => onceCollected(stream, (bytes) => stream.write(bytes, true));
}

/** What every Transport promises about sockets: other datagrams beside QUIC, and connections on further sockets. */
export function transportSocketContract(rig: TransportRig): void {
  const check = pairTest(rig);

  check('what is neither QUIC nor a probe reaches its listener, beside a connection', async (t, a, b) => {
    echo(b);
    const connection = await connect(a, b);
    const atB = heard(b.endpoint.socket);
    const probe = Buffer.from([0x31, 1, 2, 3]);
    t.true(a.endpoint.socket.send(probe, b.address()));
    t.true(a.endpoint.socket.send(STUN, b.address()));
    probe.fill(0);
    await until(() => atB.length === 2);
    t.deepEqual(
      atB.map(({ text }) => text),
      ['1\u0001\u0002\u0003', STUN.toString('latin1')],
    );
    t.deepEqual(atB[0]?.from, a.address());
    const atA = heard(a.endpoint.socket);
    t.true(b.endpoint.socket.send(Buffer.from([0x10]), a.address()));
    await until(() => atA.length === 1);
    await echoes(t, connection);
  });

  check('what looks like QUIC, a probe of ours or broken STUN never reaches the listener', async (t, a, b) => {
    echo(b);
    const connection = await connect(a, b);
    const atB = heard(b.endpoint.socket);
    const brokenStun = Buffer.from(STUN);
    brokenStun[4] = 0;
    const cut = STUN.subarray(0, 19);
    const forgeries = [[], [0x40], [0x7f, 1], [0x80], [0xc3, 0, 0, 0, 1, 8], [0x20, 1], [0], [3, 3, 3, 3]];
    for (const bytes of [...forgeries.map((list) => Buffer.from(list)), brokenStun, cut])
      a.endpoint.socket.send(bytes, b.address());
    for (let i = 0; i < 200; i++) {
      const noise = Buffer.from(
        Array.from({ length: 30 }, (_, at) => (at === 0 ? 0x40 + (i % 192) : (i * 7 + at) & 0xff)),
      );
      a.endpoint.socket.send(noise, b.address());
    }
    a.endpoint.socket.send(Buffer.from([0x10]), b.address());
    await until(() => atB.length > 0);
    t.deepEqual(
      atB.map(({ text }) => text),
      ['\u0010'],
    );
    t.true((b.endpoint.counters().garbage ?? 0) > 0);
    await echoes(t, connection);
  });

  check('datagrams nobody listens for, or has a use for, are counted', async (t, a, b) => {
    a.endpoint.socket.send(Buffer.from([0x10]), b.address());
    await until(() => b.endpoint.counters().garbage === 1);
    b.endpoint.socket.onDatagram = () => false;
    a.endpoint.socket.send(Buffer.from([0x10]), b.address());
    await until(() => b.endpoint.counters().garbage === 2);
    t.pass();
  });

  check(
    'further sockets have ports of their own and carry anything while they carry no connection',
    async (t, a, b) => {
      const sockets = await Promise.all(Array.from({ length: 256 }, () => a.endpoint.openSocket()));
      t.is(new Set([a.endpoint.port, ...sockets.map(({ port }) => port)]).size, 257);
      const atB = heard(b.endpoint.socket);
      for (const socket of sockets) socket.send(Buffer.from([0x10]), b.address());
      await until(() => atB.length === 256);
      t.deepEqual(
        atB.map(({ from }) => from.port).sort((x, y) => x - y),
        sockets.map(({ port }) => port).sort((x, y) => x - y),
      );
      const [one] = sockets as [EndpointSocket];
      t.true(one.localAddresses().some(({ port }) => port === one.port));
      const atOne = heard(one);
      b.endpoint.socket.send(Buffer.from('HTTP/1.1 200 OK'), addressOf(a, one));
      await until(() => atOne.length === 1);
      t.deepEqual(atOne, [{ text: 'HTTP/1.1 200 OK', from: b.address() }]);
    },
  );

  test(`${rig.name}: there is a 512th further socket and no 513th, until one is closed`, async (t) => {
    const node = await rig.node();
    t.teardown(() => node.endpoint.close());
    const sockets = await Promise.all(Array.from({ length: 512 }, () => node.endpoint.openSocket()));
    await t.throwsAsync(node.endpoint.openSocket(), { code: 'transport/too-many-sockets' });
    sockets[0]?.close();
    let again: EndpointSocket | undefined;
    // The system takes a moment to free a port.
    await until(() => {
      node.endpoint.openSocket().then(
        (socket) => {
          again = socket;
        },
        () => {},
      );
      return again !== undefined;
    });
    again?.close();
    sockets[1]?.close();
    sockets[2]?.close();
  });

  check('a local address that this machine does not have is refused by name', async (t, a) => {
    await t.throwsAsync(a.endpoint.openSocket({ host: '192.0.2.77' }), { code: 'transport/bind-failed' });
  });

  check('a connection dialled from a further socket lives on it, and outlives its owner', async (t, a, b) => {
    echo(b);
    const socket = await a.endpoint.openSocket();
    const atSocket = heard(socket);
    const connection = await a.endpoint.dial({
      addresses: [b.address()],
      expect: b.credentials.self.nodeId,
      from: socket,
    });
    await echoes(t, connection);
    t.is(b.connections[0]?.remote.port, socket.port);
    b.endpoint.socket.send(Buffer.from([0x10]), addressOf(a, socket));
    await until(() => atSocket.length === 1);
    const c = await rig.node({ limits: { dialMs: 300 } });
    t.teardown(() => c.endpoint.close());
    await t.throwsAsync(c.endpoint.dial({ addresses: [addressOf(a, socket)] }), { code: 'transport/dial-timeout' });
    socket.close();
    t.true(socket.closed);
    t.false(socket.send(Buffer.from([0x10]), b.address()));
    b.endpoint.socket.send(Buffer.from([0x10]), addressOf(a, socket));
    await echoes(t, connection);
    t.is(atSocket.length, 1, 'nothing more is heard');
    await t.throwsAsync(a.endpoint.dial({ addresses: [b.address()], from: socket }), { code: 'transport/closed' });
    connection.close(0, 'done');
    await until(() => b.connections[0]?.closed !== undefined);
  });

  check(
    'a further socket accepts connections from when it is told to, and no longer than it is kept',
    async (t, a, b) => {
      echo(b);
      const socket = await b.endpoint.openSocket();
      const target = { addresses: [addressOf(b, socket)], expect: b.credentials.self.nodeId };
      const caller = new AbortController();
      const early = a.endpoint.dial(target, caller.signal);
      const atSocket = heard(socket);
      if (rig.name === 'quic') await until(() => atSocket.length > 0);
      caller.abort(new Error('called off'));
      await t.throwsAsync(early, { message: 'called off' });
      socket.accept();
      const connection = await a.endpoint.dial(target);
      t.is(connection.remote.port, socket.port);
      await echoes(t, connection);
      socket.close();
      await echoes(t, connection);
      const c = await rig.node({ limits: { dialMs: 300 } });
      t.teardown(() => c.endpoint.close());
      await t.throwsAsync(c.endpoint.dial(target), { code: 'transport/dial-timeout' });
      await echoes(t, connection);
    },
  );

  check('two ends on further sockets, both punched at once, share one connection', async (t, a, b) => {
    echo(a);
    echo(b);
    const [left, right] = [await a.endpoint.openSocket(), await b.endpoint.openSocket()];
    left.accept();
    right.accept();
    const [one, two] = await Promise.all([
      a.endpoint.dial({ addresses: [addressOf(b, right)], from: left }),
      b.endpoint.dial({ addresses: [addressOf(a, left)], from: right }),
    ]);
    t.deepEqual([...a.endpoint.connections()], [one]);
    t.deepEqual([...b.endpoint.connections()], [two]);
    t.is(one.remote.port, right.port);
    t.is(two.remote.port, left.port);
    await echoes(t, one);
    await echoes(t, two);
  });

  check('a socket of another endpoint is refused, and an endpoint takes its sockets with it', async (t, a, b) => {
    const socket = await a.endpoint.openSocket();
    await t.throwsAsync(b.endpoint.dial({ addresses: [a.address()], from: socket }), { code: 'transport/closed' });
    await a.endpoint.close();
    await t.throwsAsync(a.endpoint.openSocket(), { code: 'transport/closed' });
    await t.throwsAsync(a.endpoint.dial({ addresses: [b.address()], from: socket }), { code: 'transport/closed' });
  });
}
