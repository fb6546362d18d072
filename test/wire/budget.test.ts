import test from 'ava';
import { PeerAccount, PeerAccounts, Usage } from '../../kernel/wire/budget.ts';
import { REMEMBERED_PEERS_MAX } from '../../kernel/wire/limits.ts';
import type { DeviceId, NodeId, PeerId } from '../../kernel/index.ts';
import { testPeer } from './pair.ts';

const BUDGET = { perSecond: 10, burst: 2, inFlight: 1 };

test('a point is forgiven each second, and a good record saves none up', (t) => {
  const account = new PeerAccount();
  t.is(account.blame(0, 50_000), 0);
  t.is(account.blame(10, 50_000), 10);
  t.is(account.blame(5, 50_500), 14.5);
  t.is(account.blame(0, 60_000), 5);
  t.is(account.blame(1, 1_000_000), 1);
});

test('each message has its own use, which stays over generations', (t) => {
  const account = new PeerAccount();
  const [one, other] = [{}, {}];
  const usage = account.usage(one, BUDGET, 0);
  t.is(account.usage(one, BUDGET, 1_000), usage);
  t.not(account.usage(other, BUDGET, 0), usage);
  t.deepEqual([usage.take(BUDGET, 0), usage.take(BUDGET, 0), usage.take(BUDGET, 0)], [0, 0, 100]);
  t.is(usage.take(BUDGET, 100), 0);
});

test('an account is that of all connections of a device, and stays when the last has gone', (t) => {
  const accounts = new PeerAccounts();
  const peer = testPeer('a');
  const account = accounts.enter(peer);
  t.is(accounts.enter(peer), account);
  t.is(account.connections, 2);
  accounts.leave(peer);
  accounts.leave(peer);
  accounts.leave(peer);
  t.is(account.connections, 0);
  t.is(accounts.enter(peer), account);
  t.is(account.connections, 1);
  t.not(accounts.enter({ ...peer, deviceId: 'b'.repeat(64) as DeviceId }), account);
});

test('of those that left the longest gone are forgotten, those connected never', (t) => {
  const accounts = new PeerAccounts();
  const peer = (n: number): PeerId => {
    const id = n.toString(16).padStart(64, '0');
    return { nodeId: id as NodeId, deviceId: id as DeviceId };
  };
  const here = accounts.enter(peer(0));
  const first = accounts.enter(peer(1));
  const second = accounts.enter(peer(2));
  for (let n = 1; n <= REMEMBERED_PEERS_MAX + 1; n++) {
    if (n > 2) accounts.enter(peer(n));
    accounts.leave(peer(n));
  }
  t.is(accounts.enter(peer(2)), second);
  t.not(accounts.enter(peer(1)), first);
  t.is(accounts.enter(peer(0)), here);
});

test('a line moves up as places come free, not while its plugin is held, and is forgotten when it is empty', (t) => {
  const usage = new Usage(BUDGET, 0);
  const started: number[] = [];
  const owner = { held: true, lines: new Set<Usage>([usage]) };
  const deadlines: string[] = [];
  for (const n of [1, 2, 3]) {
    usage.waiting.push({
      places: 2,
      suspendDeadline: () => void deadlines.push(`suspend ${n}`),
      resumeDeadline: () => void deadlines.push(`resume ${n}`),
      start: () => {
        usage.inFlight++;
        started.push(n);
        // One that ends at once asks for the next.
        usage.pump(owner);
      },
      released: () => {},
    });
  }
  usage.suspendDeadlines();
  usage.resumeDeadlines();
  t.deepEqual(deadlines, ['suspend 1', 'suspend 2', 'suspend 3', 'resume 1', 'resume 2', 'resume 3']);
  usage.pump(owner);
  t.deepEqual(started, []);
  owner.held = false;
  usage.pump(owner);
  t.deepEqual(started, [1, 2]);
  t.true(owner.lines.has(usage));
  usage.inFlight = 1;
  usage.pump(owner);
  t.deepEqual(started, [1, 2, 3]);
  t.false(owner.lines.has(usage));
});
