import test from 'ava';
import { AckDelay } from '../../kernel/transport/quic/ack-delay.ts';
import { onceCollected, collect, pattern, quicRig } from '../contract/transport-rig.ts';
import { UdpProxy } from './udp-proxy.ts';

const DATAGRAM_BYTES = 1_452;
const STREAM_BYTES = 1_410;

/** Datagrams come in one turn, and what they carry is read. */
function turn(acks: AckDelay, count: number, now: number, read = count): boolean {
  let full = false;
  for (let n = 0; n < count; n++) full = acks.received(DATAGRAM_BYTES, now);
  acks.read(read * STREAM_BYTES);
  return full;
}

/** Of a sender who never waits for us: as many datagrams as possible share one acknowledgement. */
function unhurried(): AckDelay {
  const acks = new AckDelay();
  for (let round = 0; round < 6; round++) {
    turn(acks, 32, 0);
    acks.sent(0);
  }
  return acks;
}

test('32 datagrams share an acknowledgement', (t) => {
  const acks = unhurried();
  t.false(turn(acks, 31, 0));
  t.true(acks.mayWait(0));
  t.true(turn(acks, 1, 0));
  t.false(acks.mayWait(0));
});

test('the first datagram waits 4 ms at most, counted from when it came', (t) => {
  const acks = unhurried();
  turn(acks, 3, 100);
  turn(acks, 3, 103);
  t.is(acks.dueAt, 104);
  t.true(acks.mayWait(103.9));
  t.false(acks.mayWait(104));
});

test('a gap is acknowledged at once, and so is what comes behind it', (t) => {
  const acks = unhurried();
  turn(acks, 5, 0, 4);
  t.false(acks.mayWait(0));
  acks.sent(0);
  turn(acks, 5, 0, 0);
  t.false(acks.mayWait(0));
  acks.sent(0);
  // The missing one comes, and with it all that was behind it.
  turn(acks, 1, 0, 12);
  t.true(acks.mayWait(0));
});

test('a sender that waited for us is acknowledged after two datagrams, and then after twice as many each time', (t) => {
  const acks = unhurried();
  turn(acks, 10, 0);
  acks.sent(4);
  for (const limit of [2, 4, 8, 16, 32]) {
    turn(acks, limit - 1, 10);
    t.true(acks.mayWait(10), `${limit - 1} of ${limit}`);
    turn(acks, 1, 10);
    t.false(acks.mayWait(10), `${limit} of ${limit}`);
    acks.sent(10);
  }
});

test('what is sent for another reason carries the acknowledgement', (t) => {
  const acks = unhurried();
  turn(acks, 20, 0);
  acks.sent(1);
  turn(acks, 20, 2);
  t.true(acks.mayWait(3));
  t.is(acks.dueAt, 6);
});

test('small datagrams are no bulk', (t) => {
  t.false(new AckDelay().isBulk(1_199));
  t.true(new AckDelay().isBulk(1_200));
});

test('a bulk transfer takes few datagrams in the other direction', async (t) => {
  const [a, b] = [await quicRig().node(), await quicRig().node()];
  const proxy = await UdpProxy.before(b.address());
  t.teardown(async () => {
    await a.endpoint.close();
    await b.endpoint.close();
    proxy.close();
  });
  proxy.maxBytes = 1_472;
  b.onStream = (stream) => onceCollected(stream, () => stream.write(Buffer.from('ok'), true));
  const connection = await a.endpoint.dial({ addresses: [proxy.address] });
  const stream = await connection.openBi();
  const answer = collect(stream);
  stream.write(pattern(4 * 1024 * 1024), true);
  await answer;
  t.true(proxy.passedBack < proxy.passed / 20, `${proxy.passedBack} of ${proxy.passed}`);
});
