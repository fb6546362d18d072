import test from 'ava';
import fc from 'fast-check';
import { BoundedMap } from '../../kernel/index.ts';

test('one entry too many drops the one written longest ago, and counts it', (t) => {
  const map = new BoundedMap<string, number>(3);
  map.set('a', 1).set('b', 2).set('c', 3);
  t.is(map.dropped, 0);
  map.set('a', 4).set('d', 5);
  t.deepEqual(
    [...map],
    [
      ['c', 3],
      ['a', 4],
      ['d', 5],
    ],
  );
  t.is(map.get('b'), undefined);
  t.is(map.dropped, 1);
  t.is(map.size, 3);
});

test('reading keeps nothing alive, using does', (t) => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2);
  t.is(map.get('a'), 1);
  t.true(map.has('a'));
  map.set('c', 3);
  t.deepEqual([...map.keys()], ['b', 'c']);
  t.is(map.use('b'), 2);
  map.set('d', 4);
  t.deepEqual([...map.keys()], ['b', 'd']);
  t.deepEqual([...map.values()], [2, 4]);
});

test('deleting and clearing are not counted as drops', (t) => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2);
  t.true(map.delete('a'));
  t.false(map.delete('a'));
  map.clear();
  t.is(map.size, 0);
  t.is(map.dropped, 0);
});

test('entries may be deleted while they are walked', (t) => {
  const map = new BoundedMap<number, number>(10);
  for (let key = 0; key < 10; key++) map.set(key, key);
  for (const [key] of map) {
    if (key === 5) break;
    map.delete(key);
  }
  t.deepEqual([...map.keys()], [5, 6, 7, 8, 9]);
});

test('it is a Map whose oldest entries are gone, whatever is done to it', (t) => {
  const step = fc.tuple(fc.constantFrom('set', 'use', 'get', 'delete'), fc.integer({ min: 0, max: 9 }), fc.nat());
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const map = new BoundedMap<number, number>(max);
      const model = new Map<number, number>();
      for (const [what, key, value] of steps) {
        const known = model.get(key);
        if (what === 'get') t.is(map.get(key), known);
        if (what === 'use') t.is(map.use(key), known);
        if (what === 'delete') t.is(map.delete(key), model.delete(key));
        if (what === 'set' || (what === 'use' && known !== undefined)) {
          model.delete(key);
          model.set(key, what === 'set' ? value : (known as number));
          if (what === 'set') map.set(key, value);
          const [oldest] = model.keys();
          if (model.size > max && oldest !== undefined) model.delete(oldest);
        }
      }
      t.deepEqual([...map], [...model]);
      t.is(map.size, model.size);
    }),
  );
});
