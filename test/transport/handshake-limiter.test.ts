import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { socketAddress } from '../../kernel/transport/address.ts';
import { DEFAULT_LIMITS } from '../../kernel/transport/limits.ts';
import { HandshakeLimiter } from '../../kernel/transport/quic/handshake-limiter.ts';

const LIMITS = {
  ...DEFAULT_LIMITS,
  retryAbovePendingHandshakes: 4,
  maxPendingHandshakes: 8,
  handshakesPerSecondPerIp: 20,
};
const CID = Buffer.from('0102030405060708', 'hex');
const RETRY_CID = Buffer.from('1112131415161718', 'hex');
const SOURCE = socketAddress('192.0.2.1', 4433);

const underWay = (pending: number, ofShare = 0, open = 0) => ({
  pending,
  pendingShareOf: () => ofShare,
  openShareOf: () => open,
});

function gate(): { gate: HandshakeLimiter; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { gate: new HandshakeLimiter(LIMITS, clock, seededRandom(1)), clock };
}

test('a source has a budget that fills again', async (t) => {
  const { gate: g, clock } = gate();
  const accepted = (): number => {
    let count = 0;
    while (g.judge(SOURCE, underWay(0), false) === 'accept') count++;
    return count;
  };
  t.is(accepted(), 20);
  t.is(g.judge(SOURCE, underWay(0), false), 'over-budget');
  t.is(g.judge(socketAddress('192.0.2.2', 1), underWay(0), false), 'accept', 'others are not affected');
  await clock.advance(500);
  t.is(accepted(), 10);
});

test('an IPv6 source is its /64', (t) => {
  const { gate: g } = gate();
  for (let i = 1; i <= 20; i++) t.is(g.judge(socketAddress(`2001:db8::${i}`, 1), underWay(0), false), 'accept');
  t.is(g.judge(socketAddress('2001:db8::1:2:3:4', 1), underWay(0), false), 'over-budget');
  t.is(g.judge(socketAddress('2001:db8:0:1::1', 1), underWay(0), false), 'accept');
});

test('a host that had all its connections went on to cost fifty handshakes a second', async (t) => {
  const { gate: g, clock } = gate();
  t.is(g.judge(SOURCE, underWay(0, 0, 1), false), 'retry', 'its rate is not for others to use up');
  const accepted = (): number => {
    let count = 0;
    while (g.judge(SOURCE, underWay(0, 0, 1), true) === 'accept') count++;
    return count;
  };
  t.is(accepted(), 4);
  await clock.advance(1_000);
  t.is(accepted(), 4);
  t.is(g.judge(SOURCE, underWay(0, 0, 0.9), false), 'accept', 'with a connection less it is a host like others');
});

test('under load an address must be proved, and beyond the limit nobody gets in', (t) => {
  const { gate: g } = gate();
  t.is(g.judge(SOURCE, underWay(3), false), 'accept');
  t.is(g.judge(SOURCE, underWay(4), false), 'retry');
  t.is(g.judge(SOURCE, underWay(4), true), 'accept');
  t.is(g.judge(SOURCE, underWay(8), true), 'too-many-pending');
});

test('asking for a retry costs the source nothing: its address may be forged', (t) => {
  const { gate: g } = gate();
  for (let i = 0; i < 1_000; i++) g.judge(SOURCE, underWay(4), false);
  t.is(g.judge(SOURCE, underWay(4), true), 'accept');
});

test('a token is good for its address, its connection ids and its time only', async (t) => {
  const { gate: g, clock } = gate();
  const token = g.mintToken(SOURCE, CID, RETRY_CID);
  t.deepEqual(Buffer.from(g.checkToken(token, SOURCE, RETRY_CID) ?? []), CID);
  t.is(g.checkToken(token, socketAddress('192.0.2.2', 4433), RETRY_CID), undefined);
  t.is(g.checkToken(token, socketAddress('192.0.2.1', 4434), RETRY_CID), undefined);
  t.is(g.checkToken(token, SOURCE, CID), undefined);
  for (let at = 0; at < token.length; at++) {
    const forged = Buffer.from(token);
    forged[at] = (forged[at] ?? 0) ^ 1;
    t.is(g.checkToken(forged, SOURCE, RETRY_CID), undefined);
  }
  for (const length of [0, 1, 21, 22]) t.is(g.checkToken(token.slice(0, length), SOURCE, RETRY_CID), undefined);
  await clock.advance(10_001);
  t.is(g.checkToken(token, SOURCE, RETRY_CID), undefined);
  t.is(gate().gate.checkToken(new Uint8Array(0), SOURCE, RETRY_CID), undefined);
});

test('one address under way took all places for handshakes, and a forged one the places of its victim', (t) => {
  const { gate: g } = gate();
  t.is(g.judge(SOURCE, underWay(3, 0.2), false), 'accept');
  t.is(g.judge(SOURCE, underWay(3, 0.25), false), 'retry', 'nobody knows yet whether it is there');
  t.is(g.judge(SOURCE, underWay(3, 0.9), true), 'accept');
  t.is(g.judge(SOURCE, underWay(3, 1), true), 'over-share');
});

test('an IPv6 /48 has the budget of four households', (t) => {
  const { gate: g } = gate();
  let accepted = 0;
  for (let n = 0; n < 200; n++) {
    if (g.judge(socketAddress(`2001:db8:0:${n}::1`, 1), underWay(0), false) === 'accept') accepted++;
  }
  t.is(accepted, 80);
  t.is(g.judge(socketAddress('2001:db8:1::1', 1), underWay(0), false), 'accept');
});
