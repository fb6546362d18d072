import test from 'ava';
import { setImmediate as turn } from 'node:timers/promises';
import { GroupCommit } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { holdSyncs, type HeldSync } from './disk.ts';
import { clock, openNotes } from './rig.ts';

// One after the other: they hold what the whole process syncs.

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending');
  await turn();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
};
const sync = (held: readonly HeldSync[], index: number): HeldSync => held[index] as HeldSync;

test.serial(
  'synced waits for a sync that began after the commit, and those who come meanwhile share one',
  async (t) => {
    const { database } = openNotes(t);
    const held = holdSyncs(t);
    const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
    insert.run('a');
    const first = database.synced();
    insert.run('b');
    const second = database.synced();
    insert.run('c');
    const third = database.synced();
    t.is(held.length, 1);
    sync(held, 0).finish();
    await first;
    t.false(await settled(second));
    t.is(held.length, 2);
    const late = database.synced();
    sync(held, 1).finish();
    await Promise.all([second, third]);
    t.false(await settled(late));
    sync(held, 2).finish();
    await late;
    t.is(held.length, 3);
  },
);

test.serial('a group commit answers when it is on disk, and the next one is committed meanwhile', async (t) => {
  const { database } = openNotes(t);
  const held = holdSyncs(t);
  const group = new GroupCommit(database, clock, { maxJobs: 1, capacity: 3 });
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM notes');
  const first = group.run(() => insert.run('a'));
  const second = group.run(() => insert.run('b'));
  while (count.get()?.n !== 2) await turn();
  t.false(await settled(Promise.race([first, second])));
  t.is(group.size, 2);
  const third = group.run(() => insert.run('c'));
  await t.throwsAsync(
    group.run(() => {}),
    { code: 'store/queue-full' },
  );
  const closing = group.close();
  sync(held, 0).finish();
  await first;
  t.false(await settled(second));
  sync(held, 1).finish();
  await Promise.all([second, third, closing]);
  t.is(group.size, 0);
});

test.serial(
  'a failed sync ends the store: who waits is told, nothing is tried again, what was synced stays',
  async (t) => {
    const dir = temporaryDirectory(t);
    const failures: Error[] = [];
    const { database, store } = openNotes(t, { dir, onFailure: (error) => failures.push(error) });
    const held = holdSyncs(t);
    const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
    insert.run('safe');
    const safe = database.synced();
    sync(held, 0).finish();
    await safe;
    const group = new GroupCommit(database, clock);
    const inGroup = group.run(() => insert.run('lost'));
    while (held.length < 2) await turn();
    const late = database.synced();
    sync(held, 1).fail('Input/output error');
    await t.throwsAsync(inGroup, { code: 'store/io-failed', message: /Input\/output error/ });
    await t.throwsAsync(late, { code: 'store/io-failed' });
    t.is(failures.length, 1);
    await t.throwsAsync(database.synced(), { code: 'store/io-failed' });
    t.throws(() => insert.run('more'), { code: 'store/io-failed' });
    t.throws(() => database.prepare('SELECT * FROM notes').all(), { code: 'store/io-failed' });
    t.throws(() => database.transaction(() => 1), { code: 'store/io-failed' });
    t.is(held.length, 2);
    await store.close();
    const again = openNotes(t, { dir });
    t.like(again.database.prepare('SELECT body FROM notes ORDER BY id').all()[0], { body: 'safe' });
  },
);

test.serial('closing waits for the sync under way, which answers', async (t) => {
  const { database, store } = openNotes(t);
  const held = holdSyncs(t);
  database.prepare('INSERT INTO notes (body) VALUES (?)').run('a');
  const synced = database.synced();
  const closing = store.close();
  t.false(await settled(closing));
  sync(held, 0).finish();
  await synced;
  await closing;
  t.throws(() => database.prepare('SELECT 1').get(), { code: 'store/closed' });
});

test.serial('a store of a simulation has nothing to wait for', async (t) => {
  const { database, store } = openNotes(t, { durable: false });
  const held = holdSyncs(t);
  database.prepare('INSERT INTO notes (body) VALUES (?)').run('a');
  await database.synced();
  t.is(database.congestion, undefined);
  t.is(held.length, 0);
  await store.close();
});
