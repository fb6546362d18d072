import test from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { decideSlot, leastDiverse, slotLimits } from '../../plugins/mesh/slots/decide.ts';
import type { SlotTable } from '../../plugins/mesh/slots/decide.ts';
import { nodeIds } from '../routing/ids.ts';

const ids = nodeIds('slots', 20);
const id = (n: number): NodeId => ids[n] as NodeId;
const asking = { connectionId: 100, nodeId: id(19) };

function table(held: number, options: Partial<SlotTable> & { preferred?: readonly NodeId[] } = {}): SlotTable {
  return {
    limits: { mesh: 4, preferred: 2 },
    held: Array.from({ length: held }, (_, n) => ({ connectionId: n, nodeId: id(n) })),
    reserved: 0,
    isPreferred: (nodeId) => options.preferred?.includes(nodeId) ?? false,
    isWithinShare: () => true,
    isBlacklisted: () => false,
    diversity: (nodeId) => 10 - ids.indexOf(nodeId),
    ...options,
  };
}

test('a desktop has 101 slots, 10 of them preferred; a mobile at most 15 and 3', (t) => {
  const settings = { maxMesh: 101, maxPreferred: 10 };
  t.deepEqual(slotLimits({ profile: 'desktop', ...settings }), { mesh: 101, preferred: 10 });
  t.deepEqual(slotLimits({ profile: 'mobile', ...settings }), { mesh: 15, preferred: 3 });
  t.deepEqual(slotLimits({ profile: 'mobile', maxMesh: 2, maxPreferred: 10 }), { mesh: 2, preferred: 2 });
});

test('a slot is granted while one is free that nobody else waits for', (t) => {
  t.deepEqual(decideSlot(asking, table(3)), { grant: true });
  t.deepEqual(decideSlot(asking, table(3, { reserved: 1 })), { grant: false, reason: 'full' });
  t.deepEqual(decideSlot(asking, table(4)), { grant: false, reason: 'full' });
});

test('who holds a slot keeps it when it asks again, and one identity gets no second', (t) => {
  t.deepEqual(decideSlot({ connectionId: 2, nodeId: id(2) }, table(4)), { grant: true });
  t.deepEqual(decideSlot({ connectionId: 100, nodeId: id(2) }, table(3)), { grant: false, reason: 'held-already' });
});

test('a host that holds its share gets no further slot, however many are free, unless both prefer each other', (t) => {
  const full = { isWithinShare: () => false };
  t.deepEqual(decideSlot(asking, table(1, full)), { grant: false, reason: 'share' });
  t.deepEqual(decideSlot(asking, table(1, { ...full, preferred: [asking.nodeId] })), { grant: true });
});

test('who is blacklisted gets none, preferred or not', (t) => {
  const blacklisted = table(1, { isBlacklisted: () => true, preferred: [asking.nodeId] });
  t.deepEqual(decideSlot(asking, blacklisted), { grant: false, reason: 'blacklisted' });
});

test('a preferred peer takes the place of the least diverse other one, never of a preferred one', (t) => {
  const least = { connectionId: 3, nodeId: id(3) };
  t.deepEqual(decideSlot(asking, table(4, { preferred: [asking.nodeId] })), { grant: true, evict: least });
  const next = { connectionId: 2, nodeId: id(2) };
  t.deepEqual(decideSlot(asking, table(4, { preferred: [asking.nodeId, id(3)] })), { grant: true, evict: next });
  const all = table(4, { preferred: [asking.nodeId, ...ids.slice(0, 4)] });
  t.deepEqual(decideSlot(asking, all), { grant: false, reason: 'full' });
  t.is(leastDiverse(all), undefined);
});

test('a low diversity alone costs nobody its slot', (t) => {
  t.deepEqual(decideSlot(asking, table(4, { diversity: () => 0 })), { grant: false, reason: 'full' });
});
