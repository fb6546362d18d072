import test from 'ava';
import fc from 'fast-check';
import { orderContributions } from '../../kernel/lifecycle/point-order.ts';

const names = (entries: Parameters<typeof orderContributions>[0]): unknown => {
  const ordered = orderContributions(entries);
  return 'circle' in ordered ? ordered : ordered.map(({ name }) => name);
};

test('after and before decide, names the rest; names that are not there count for nothing', (t) => {
  t.deepEqual(names([{ name: 'b' }, { name: 'c' }, { name: 'a' }]), ['a', 'b', 'c']);
  t.deepEqual(names([{ name: 'a', after: ['c'] }, { name: 'b' }, { name: 'c' }]), ['b', 'c', 'a']);
  t.deepEqual(names([{ name: 'a' }, { name: 'b' }, { name: 'c', before: ['a'] }]), ['b', 'c', 'a']);
  t.deepEqual(names([{ name: 'b', after: ['z'], before: ['y'] }, { name: 'a' }]), ['a', 'b']);
});

test('a circle names those in it and those that wait for it', (t) => {
  const circle = [{ name: 'a', after: ['b'] }, { name: 'b', after: ['a'] }, { name: 'c', after: ['b'] }, { name: 'd' }];
  t.deepEqual(names(circle), { circle: ['a', 'b', 'c'] });
  t.deepEqual(names([{ name: 'a', after: ['a'] }]), { circle: ['a'] });
});

test('every order that is asked for is kept, whatever the order they come in', (t) => {
  const entry = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    after: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f'], { maxLength: 1 }),
    before: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f'], { maxLength: 1 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name }), (entries) => {
      const ordered = orderContributions(entries);
      t.deepEqual(names(entries.toReversed()), names(entries));
      if ('circle' in ordered) return;
      const place = new Map<string, number>(ordered.map(({ name }, at) => [name, at]));
      t.is(place.size, entries.length);
      for (const { name, after, before } of entries) {
        const at = place.get(name) ?? -1;
        for (const other of after) t.true((place.get(other) ?? -1) < at || !place.has(other));
        for (const other of before) t.true((place.get(other) ?? 99) > at);
      }
    }),
  );
});
