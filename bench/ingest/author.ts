import { composePost } from '../../plugins/content/publish.ts';
import { contentMigrations } from '../../plugins/content/migrations/index.ts';
import { PostStore } from '../../plugins/content/post-store.ts';
import { loadIdentity } from '../../kernel/identity/index.ts';
import { systemClock } from '../../kernel/clock/index.ts';
import { startNode } from '../../kernel/node.ts';
import { openStore, prepareDataDirectory } from '../../kernel/store/index.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Fills a new data directory with signed posts, as their author would have over years. */
function fill(dataDir: string, count: number): void {
  const paths = prepareDataDirectory(dataDir);
  const identity = loadIdentity(dataDir);
  const file = openStore({ path: paths.database, log: SILENT, clock: systemClock() });
  file.migrate('content', contentMigrations, ['expand', 'contract']);
  const db = file.database('content');
  const store = new PostStore(db);
  const startMs = Date.now() - count * 60_000;
  for (let at = 0; at < count; at += 1_000) {
    const posts = Array.from({ length: Math.min(1_000, count - at) }, (_, i) =>
      composePost(
        identity,
        `Post ${at + i}. ${'It goes well, and you? '.repeat(1 + ((at + i) % 12))}`,
        startMs + (at + i) * 60_000,
        [identity.nodeId],
      ),
    );
    db.transaction(() => store.insert(posts));
  }
  file.close();
}

/** A node in a process of its own: `author.js <data dir> <posts>`; prints its connect string and serves. */
const [dataDir, count] = process.argv.slice(2);
if (dataDir === undefined || count === undefined) throw new Error('usage: author.js <data dir> <posts>');
fill(dataDir, Number(count));
const node = await startNode({ dataDir, bind: '127.0.0.1:0', attended: false, logLevel: 'error' });
console.log(`${node.self.nodeId}@127.0.0.1:${node.network.port}`);
process.on('disconnect', () => void node.stop());
