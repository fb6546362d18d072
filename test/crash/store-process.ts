import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../kernel/clock/index.ts';
import { createLog } from '../../kernel/observe/index.ts';
import { GroupCommit, lockDataDirectory, openStore, prepareDataDirectory } from '../../kernel/store/index.ts';

/** Rows of this size fill the WAL within a round, so that kills hit checkpoints too. */
const BODY = 'x'.repeat(2_000);

// Run by the tests as `node store-process.js <data dir>`; prints the id of each row once it is committed.
const dir = process.argv[2] as string;
const clock = systemClock();
const log = createLog({ level: 'warn', clock });
lockDataDirectory(dir);
prepareDataDirectory(dir);
const store = openStore({ path: join(dir, 'itsgoin.db'), log: log.area('kernel/store'), clock });
store.migrate(
  'notes',
  [{ id: '0001-notes', kind: 'expand', sql: 'CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT' }],
  ['expand', 'contract'],
);
const db = store.database('notes');
const insert = db.prepare('INSERT INTO notes (id, body) VALUES (?, ?)');
const group = new GroupCommit(db, clock);
let next = 0;

/** Half of the writers go through the group, the others commit alone. */
async function write(grouped: boolean): Promise<never> {
  for (;;) {
    const id = `${process.pid}-${process.hrtime.bigint()}-${next++}`;
    if (grouped) await group.run(() => insert.run(id, BODY));
    else insert.run(id, BODY);
    process.stdout.write(`${id}\n`);
    await wait(grouped ? 0 : 20);
  }
}

await Promise.all(Array.from({ length: 33 }, (_, i) => write(i > 0)));
