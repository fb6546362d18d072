import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../kernel/clock/index.ts';
import { GroupCommit, openStore } from '../../kernel/store/index.ts';

// Run by the tests as `node store-writer.js <directory> <rows>`: commits rows, and notes their numbers in `commits`
// when they are committed and in `acks` when they are said to be on disk. Ends by a kill, as in a loss of power.
const [dir = '', rows = ''] = process.argv.slice(2);
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const BODY = 'x'.repeat(300);
const PAUSE_MS = 3;

const clock = systemClock();
const store = openStore({
  path: join(dir, 'x.db'),
  log: SILENT,
  clock,
  // Many checkpoints and many new starts of the log in a short recording.
  checkpoints: { passFrames: 40, holdFrames: 200 },
});
store.migrate(
  'notes',
  [{ id: '0001-notes', kind: 'expand', sql: 'CREATE TABLE notes (n INTEGER PRIMARY KEY, key BLOB UNIQUE, body TEXT)' }],
  ['expand'],
);
const db = store.database('notes');
const insert = db.prepare('INSERT INTO notes (n, key, body) VALUES (?, randomblob(16), ?)');
const group = new GroupCommit(db, clock, { maxJobs: 4 });
const commits = openSync(join(dir, 'commits'), 'w');
const acks = openSync(join(dir, 'acks'), 'w');
let next = 0;

async function write(grouped: boolean): Promise<void> {
  while (next < Number(rows)) {
    const n = next++;
    if (grouped) {
      await group.run(() => insert.run(n, BODY));
    } else {
      insert.run(n, BODY);
      writeSync(commits, `${n}\n`);
      await db.synced();
      await clock.sleep(PAUSE_MS);
    }
    writeSync(acks, `${n}\n`);
  }
}

await Promise.all(Array.from({ length: 12 }, (_, i) => write(i > 1)));
process.kill(process.pid, 'SIGKILL');
