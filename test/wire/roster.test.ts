import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { Roster } from '../../kernel/wire/roster.ts';
import type { Member } from '../../kernel/wire/roster.ts';
import { IdTable } from '../../kernel/wire/shared/id-table.ts';
import type { Identified } from '../../kernel/wire/shared/id-table.ts';

class Entry implements Member, Identified<Entry> {
  rosterAt = -1;
  nextInTable: Entry | undefined;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

test('a roster holds what a Set would, in the same order, through 20,000 changes', (t) => {
  const random = seededRandom('roster');
  const roster = new Roster<Entry>();
  const set = new Set<Entry>();
  for (let id = 0; id < 20_000; id++) {
    const entry = new Entry(id);
    roster.add(entry);
    set.add(entry);
    while (set.size > 200 || (set.size > 0 && random.float() < 0.48)) {
      const gone = [...set][random.integer(set.size)] as Entry;
      set.delete(gone);
      t.true(roster.delete(gone));
      t.false(roster.delete(gone));
    }
    if (id % 100 === 0) t.deepEqual([...roster], [...set]);
  }
  t.is(roster.size, set.size);
  const [first] = set;
  roster.clear();
  t.deepEqual([...roster], []);
  t.false(roster.delete(first ?? new Entry(0)));
});

test('a table finds by id what a Map would, also where all ids fall into one chain', (t) => {
  const random = seededRandom('ids');
  for (const step of [1, 64, 4_096]) {
    const table = new IdTable<Entry>();
    const map = new Map<number, Entry>();
    for (let round = 0; round < 5_000; round++) {
      const id = random.integer(300) * step;
      if (map.has(id)) {
        map.delete(id);
        table.delete(id);
      } else {
        const entry = new Entry(id);
        map.set(id, entry);
        table.add(entry);
      }
      const other = random.integer(300) * step;
      if (table.get(other) !== map.get(other)) t.fail(`id ${other}`);
    }
    table.delete(-1);
    t.is(table.size, map.size);
    const ids = (entries: Iterable<Entry>) => [...entries].map(({ id }) => id).sort((a, b) => a - b);
    t.deepEqual(ids(table), ids(map.values()));
  }
});
