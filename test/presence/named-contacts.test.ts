import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { presenceTables } from '../../plugins/presence/migrations/0001-presence.ts';
import { NAMED_CONTACTS_MAX, NamedContacts } from '../../plugins/presence/named-contacts.ts';
import { nodeIds } from '../routing/ids.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const MINUTE_MS = 60_000;
const [contacts, neighbours] = [nodeIds('contacts', 900), nodeIds('neighbours', 700)];

function named(t: ExecutionContext) {
  const store = openStore({
    path: join(temporaryDirectory(t), 'named.db'),
    log: recordingLog(),
    clock: new VirtualClock(),
  });
  t.teardown(() => store.close());
  store.migrate('presence', [presenceTables], ['expand']);
  const db = store.database('presence');
  const start = () => {
    const one = new NamedContacts(db);
    return { one, count: (at: number) => one.of(contacts, new Set(neighbours.slice(0, at))).length };
  };
  return { start };
}

test('no more contacts are named than each neighbour sees of others, the latest seen first', (t) => {
  const { one, count } = named(t).start();
  t.deepEqual([0, 1, 2, 11, 700].map(count), [0, 0, 1, 10, NAMED_CONTACTS_MAX]);
  const mixed = [...neighbours.slice(0, 4), ...contacts];
  const fresh = named(t).start();
  t.deepEqual(fresh.one.of(mixed, new Set(neighbours.slice(0, 4))), contacts.slice(0, 3));
  t.truthy(one);
});

test('after a start contacts come back in the measure of old neighbours', (t) => {
  const { start } = named(t);
  const before = start();
  before.one.tick(101, MINUTE_MS);
  const few = contacts.slice(0, 20);
  const after = start();
  const counts = [1, 2, 26, 51, 76, 101].map((at) => after.one.of(few, new Set(neighbours.slice(0, at))).length);
  t.deepEqual(counts, [0, 1, 5, 10, 15, 20]);
});

test('where fewer neighbours come back than there were, the other contacts follow one by one', (t) => {
  const { start } = named(t);
  start().one.tick(101, MINUTE_MS);
  const { one } = start();
  const few = contacts.slice(0, 20);
  const now = () => one.of(few, new Set(neighbours.slice(0, 51))).length;
  one.tick(51, 10 * MINUTE_MS);
  t.is(now(), 10);
  let last = now();
  for (let minute = 11; minute < 90; minute++) {
    one.tick(51, minute * MINUTE_MS);
    t.true(now() - last <= 1);
    last = now();
  }
  t.is(last, 20);
});
