import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { Database } from '../../kernel/sdk/database.ts';
import { GroupCommit } from '../../kernel/store/index.ts';
import { openNotes } from './rig.ts';

/** Counts the transactions that are not nested. */
function counting(database: Database): { db: Database; commits: () => number } {
  let commits = 0;
  let depth = 0;
  const db: Database = {
    congestion: undefined,
    synced: () => database.synced(),
    prepare: (sql) => database.prepare(sql),
    transaction(work) {
      if (depth++ === 0) commits++;
      try {
        return database.transaction(work);
      } finally {
        depth--;
      }
    },
  };
  return { db, commits: () => commits };
}

test('jobs that come together share a commit and answer after it, in order', async (t) => {
  const { database } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const { db, commits } = counting(database);
  const group = new GroupCommit(db, clock);
  const insert = db.prepare('INSERT INTO notes (body) VALUES (?)');
  const done: number[] = [];
  for (let i = 0; i < 100; i++) {
    void group.run(() => insert.run(`note ${i}`).lastInsertRowid).then((id) => done.push(Number(id)));
  }
  await clock.advance(1);
  t.deepEqual(done, []);
  await clock.advance(1);
  t.is(done.length, 100);
  t.deepEqual(
    done,
    [...done].sort((a, b) => a - b),
  );
  t.is(commits(), 1);
});

test('a full group goes at once, and what is left follows', async (t) => {
  const { database } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const { db, commits } = counting(database);
  const group = new GroupCommit(db, clock, { maxJobs: 10, minWaitMs: 50 });
  const done = Promise.all(Array.from({ length: 25 }, (_, i) => group.run(() => i)));
  await clock.advance(0);
  t.is(commits(), 2);
  t.is(group.size, 5);
  await clock.advance(50);
  t.deepEqual(
    await done,
    Array.from({ length: 25 }, (_, i) => i),
  );
  t.is(commits(), 3);
});

test('a job that throws takes back its own writes and nobody else’s', async (t) => {
  const { database } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const group = new GroupCommit(database, clock);
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  const results = Promise.allSettled([
    group.run(() => insert.run('a')),
    group.run(() => {
      insert.run('b');
      throw new Error('refused');
    }),
    group.run(() => insert.run('c')),
    group.run(async () => insert.run('d')),
  ]);
  await clock.advance(5);
  t.deepEqual(
    (await results).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
  );
  t.deepEqual(database.prepare('SELECT body FROM notes').all(), [{ body: 'a' }, { body: 'c' }]);
});

test('a commit that fails fails every job of its group: none of them is on disk', async (t) => {
  const { database, limitPages } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const group = new GroupCommit(database, clock);
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  limitPages(10);
  const results = Promise.allSettled([
    group.run(() => insert.run('small')),
    group.run(() => insert.run('x'.repeat(60_000))),
    group.run(() => insert.run('also small')),
  ]);
  await clock.advance(5);
  const codes = (await results).map((result) => (result.status === 'rejected' ? result.reason.code : 'stored'));
  const stored = database.prepare<{ n: number }>('SELECT count(*) AS n FROM notes').get()?.n;
  t.is(codes.filter((code) => code === 'stored').length, stored ?? -1);
  t.true(codes.includes('store/disk-full'));
});

test('beyond its capacity a job is refused; ready() waits until half of it is free', async (t) => {
  const { database } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const group = new GroupCommit(database, clock, { capacity: 8, maxJobs: 4, minWaitMs: 10 });
  const jobs = Array.from({ length: 8 }, () => group.run(() => {}));
  await t.throwsAsync(
    group.run(() => {}),
    { code: 'store/queue-full' },
  );
  let ready = false;
  const waited = group.ready().then(() => {
    ready = true;
  });
  await Promise.resolve();
  t.false(ready);
  await clock.advance(10);
  await waited;
  await Promise.all(jobs);
  t.is(group.size, 0);
});

test('close commits what waits', async (t) => {
  const { database } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const group = new GroupCommit(database, clock, { maxJobs: 2 });
  const jobs = [1, 2, 3].map((n) => group.run(() => n));
  await group.close();
  t.is(group.size, 0);
  t.deepEqual(await Promise.all(jobs), [1, 2, 3]);
  t.is(clock.pending, 0);
});

test('a slow disk stops the loop half of the time at most: the next group waits as long as a commit takes', async (t) => {
  const { database } = openNotes(t, { durable: false });
  const clock = new VirtualClock();
  const commitsAt: number[] = [];
  const slow: Database = {
    congestion: undefined,
    synced: () => database.synced(),
    prepare: (sql) => database.prepare(sql),
    transaction: (work) => database.transaction(work),
  };
  let depth = 0;
  let spentMs = 0;
  const timed = {
    ...clock,
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + spentMs,
    timer: clock.timer.bind(clock),
    sleep: clock.sleep.bind(clock),
  };
  slow.transaction = (work) => {
    if (depth++ === 0) {
      commitsAt.push(clock.monotonic());
      spentMs += 20;
    }
    try {
      return database.transaction(work);
    } finally {
      depth--;
    }
  };
  const group = new GroupCommit(slow, timed);
  void group.run(() => 1);
  await clock.advance(2);
  void group.run(() => 2);
  await clock.advance(19);
  t.is(commitsAt.length, 1);
  await clock.advance(1);
  t.is(commitsAt.length, 2);
});
