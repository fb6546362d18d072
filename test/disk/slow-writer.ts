import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../kernel/clock/index.ts';
import { GroupCommit, openStore } from '../../kernel/store/index.ts';

// Run by the tests as `node slow-writer.js <directory> <rows>`: takes rows in as a first sync does, in chunks of 64,
// while single statements commit beside it; prints for how many milliseconds the event loop stopped at the longest.
const [dir = '', rows = ''] = process.argv.slice(2);
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const BODY = 'x'.repeat(500);
const CHUNK = 64;
const SETTLE_MS = 300;

const clock = systemClock();
const store = openStore({ path: join(dir, 'x.db'), log: SILENT, clock });
store.migrate(
  'notes',
  [
    {
      id: '0001-notes',
      kind: 'expand',
      sql: 'CREATE TABLE notes (n INTEGER PRIMARY KEY, key BLOB UNIQUE, body TEXT); CREATE TABLE seen (at REAL)',
    },
  ],
  ['expand'],
);
const db = store.database('notes');
const insert = db.prepare('INSERT INTO notes (key, body) VALUES (randomblob(32), ?)');
const seen = db.prepare('INSERT INTO seen VALUES (?)');
const group = new GroupCommit(db, clock, { maxJobs: 4 });
await clock.sleep(SETTLE_MS);

let left = Number(rows) / CHUNK;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
async function take(): Promise<void> {
  while (left-- > 0) {
    await group.run(() => {
      for (let i = 0; i < CHUNK; i++) insert.run(BODY);
    });
    seen.run(clock.monotonic());
  }
}
await Promise.all(Array.from({ length: 16 }, take));
delay.disable();
await store.close();
console.log(delay.max / 1e6);
