import test from 'ava';
import { seededRandom, systemRandom } from '../../kernel/clock/index.ts';

test('a seed gives the same sequence for ever', (t) => {
  const random = seededRandom('itsgoin');
  const first = [random.integer(1_000_000), random.integer(1_000_000), Buffer.from(random.bytes(6)).toString('hex')];
  const again = seededRandom('itsgoin');
  t.deepEqual(first, [again.integer(1_000_000), again.integer(1_000_000), Buffer.from(again.bytes(6)).toString('hex')]);
  // Written down: a change of the algorithm would silently change every simulation.
  t.deepEqual(first, GOLDEN);
});

const GOLDEN = [595_042, 823_440, '3e028a8ec1c2'];

for (const [name, random] of [
  ['seeded', seededRandom(7)],
  ['system', systemRandom()],
] as const) {
  test(`${name} randomness stays in range and reaches all of it`, (t) => {
    const counts = new Array<number>(8).fill(0);
    let sum = 0;
    for (let i = 0; i < 8_000; i++) {
      const at = random.integer(8);
      counts[at] = (counts[at] ?? 0) + 1;
      const float = random.float();
      t.true(float >= 0 && float < 1);
      sum += float;
    }
    t.is(counts.length, 8);
    t.true(
      counts.every((count) => count > 800 && count < 1_200),
      counts.join(' '),
    );
    t.true(Math.abs(sum / 8_000 - 0.5) < 0.03);
    t.is(random.bytes(33).length, 33);
    t.notDeepEqual(random.bytes(16), random.bytes(16));
  });
}
