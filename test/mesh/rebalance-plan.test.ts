import test from 'ava';
import type { ConnectionKind, NodeId } from '../../kernel/index.ts';
import { planRebalance } from '../../plugins/mesh/rebalance/plan.ts';
import type { RebalanceView } from '../../plugins/mesh/rebalance/plan.ts';
import { nodeIds } from '../routing/ids.ts';

const DAY_MS = 24 * 3_600_000;
const NOW_MS = 100 * DAY_MS;
const ids = nodeIds('rebalance', 10);
const id = (n: number): NodeId => ids[n] as NodeId;

function connection(n: number, kind: ConnectionKind = 'mesh', idleMs = 0, isWanted = false) {
  return { connectionId: n, nodeId: id(n), kind, idleMs, isWanted };
}

function plan(view: Partial<RebalanceView>) {
  return planRebalance({
    nowMs: NOW_MS,
    zombieMs: 600_000,
    sessionIdleMs: 300_000,
    limit: 4,
    connections: [],
    preferred: [],
    dropped: [],
    isBlacklisted: () => false,
    ...view,
  });
}
const words = (steps: ReturnType<typeof plan>) =>
  steps.map((step) => ('nodeId' in step ? `${step.do} ${ids.indexOf(step.nodeId)}` : step.do));

test('dead connections go, then preferred peers come back, then lost ones, then growth is told', (t) => {
  const steps = plan({
    connections: [connection(0, 'mesh', 600_001), connection(1)],
    preferred: [{ nodeId: id(2), agreedAtMs: 0, lastReachedMs: NOW_MS - DAY_MS }],
    dropped: [{ nodeId: id(3), atMs: NOW_MS - 60_000 }],
  });
  t.deepEqual(words(steps), ['close 0', 'reconnect-preferred 2', 'reconnect 3', 'negotiate', 'signal-growth']);
});

test('idle interactive sessions go, keep-alive sessions and those of remembered nodes stay', (t) => {
  const idle = 300_001;
  const steps = plan({
    connections: [
      connection(0, 'session', idle),
      connection(1, 'keep-alive', idle),
      connection(2, 'session', idle, true),
      connection(3, 'session', 299_999),
      connection(4, 'lan', idle),
    ],
  });
  t.deepEqual(words(steps).slice(0, -2), ['close 0']);
});

test('a preferred peer unreachable for seven days loses its place, one connected does not', (t) => {
  const preferred = [0, 1, 2].map((n) => ({ nodeId: id(n), agreedAtMs: 0, lastReachedMs: NOW_MS - 7 * DAY_MS }));
  preferred[2] = { nodeId: id(2), agreedAtMs: 0, lastReachedMs: NOW_MS - 7 * DAY_MS + 1 };
  const steps = plan({ connections: [connection(0)], preferred });
  t.deepEqual(words(steps), ['prune-preferred 1', 'reconnect-preferred 2', 'negotiate', 'signal-growth']);
});

test('lost peers come back only where there is room, of late, and never from the blacklist', (t) => {
  const dropped = [
    { nodeId: id(5), atMs: NOW_MS - 31 * 60_000 },
    { nodeId: id(6), atMs: NOW_MS - 1_000 },
    { nodeId: id(7), atMs: NOW_MS - 1_000 },
  ];
  const isBlacklisted = (nodeId: NodeId) => nodeId === id(6);
  t.deepEqual(words(plan({ dropped, isBlacklisted })), ['reconnect 7', 'negotiate', 'signal-growth']);
  const full = [0, 1, 2, 3].map((n) => connection(n));
  t.deepEqual(words(plan({ dropped, isBlacklisted, connections: full })), ['negotiate']);
});

test('a rebalance evicts nobody', (t) => {
  const connections = Array.from({ length: 8 }, (_, n) => connection(n));
  const preferred = [{ nodeId: id(9), agreedAtMs: 0, lastReachedMs: NOW_MS }];
  t.deepEqual(words(plan({ connections, preferred })), ['reconnect-preferred 9', 'negotiate']);
});
