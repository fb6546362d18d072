import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import quiche from '@matrixai/quic/native/quiche.js';
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_LIMITS } from '../../kernel/transport/limits.ts';
import { QuicConfigs } from '../../kernel/transport/quic/config.ts';
import type { SocketAddress } from '../../kernel/transport/transport.ts';
import { freshCredentials, quicRig } from '../contract/transport-rig.ts';

/** RFC 9000 §8.1. */
const AMPLIFICATION_MAX = 3;
/** With two seconds to spare for a machine under load. */
const RETRANSMITTED_MS = 7_000;

/** A client's first datagram of `length` bytes, by quiche; what is answered to it nobody reads. */
function firstFlight(to: SocketAddress, from: number): Buffer {
  const config = new QuicConfigs(freshCredentials(), DEFAULT_LIMITS).of({ windowUnitBytes: 1_200, isLong: false });
  const local = { host: '127.0.0.1', port: from };
  const client = quiche.Connection.connect(null, Buffer.alloc(8, 7), local, to, config);
  const buffer = Buffer.alloc(1_500);
  const [length] = client.send(buffer) as [number, object];
  return Buffer.from(buffer.subarray(0, length));
}

async function socketOf(t: ExecutionContext): Promise<{ socket: Socket; port: number; received: () => number }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let bytes = 0;
  socket.on('message', (datagram) => {
    bytes += datagram.length;
  });
  t.teardown(() => socket.close());
  return { socket, port: socket.address().port, received: () => bytes };
}

test('an address that nobody proved got 5.3 times what was sent in its name', async (t) => {
  const node = await quicRig().node();
  t.teardown(() => node.endpoint.close());
  const { socket, port, received } = await socketOf(t);
  const flight = firstFlight(node.address(), port);
  socket.send(flight, node.endpoint.port, '127.0.0.1');
  // quiche sends again after about 1, 2 and 5 s, by its own clock: the last of these went past the limit.
  await sleep(RETRANSMITTED_MS);
  t.true(received() > 0);
  t.true(received() <= AMPLIFICATION_MAX * flight.length, `${received()} bytes for ${flight.length}`);
});
