import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { pendingVerifications } from '../../kernel/identity/signature.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { Ingest } from '../../plugins/content/ingest.ts';
import plugin from '../../plugins/content/plugin.ts';
import { PostBudget } from '../../plugins/content/post-budget.ts';
import { PostStore } from '../../plugins/content/post-store.ts';
import { Writer } from '../../plugins/content/writer.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { signedPost, testIdentity } from './world.ts';

test('posts that could not be written are not reported as stored: whoever brought them is told', async (t) => {
  const clock = new VirtualClock({ busy: () => pendingVerifications() > 0 });
  const file = openStore({ path: join(temporaryDirectory(t), 'posts.db'), log: recordingLog(), clock });
  t.teardown(() => file.close());
  file.migrate('content', plugin.migrations ?? [], ['expand']);
  const db = file.database('content');
  const writer = new Writer(db, clock);
  const heard: unknown[] = [];
  const store = new PostStore(db);
  const limits = { othersMaxBytes: 1e9, authorDayMaxBytes: 1e8 };
  const ingest = new Ingest({
    store,
    budget: new PostBudget(db, store, testIdentity('me').nodeId, limits, () => clock.now()),
    writer,
    counters: createCounters().of('content'),
    now: () => clock.now(),
    evicted: () => t.fail(),
    stored: (posts) => void heard.push(posts),
    deleted: () => t.fail(),
  });
  const posts = ['one', 'two'].map((text) => signedPost(testIdentity('anna'), text, 1_000));
  const take = () => clock.until(ingest.posts(posts, 'pull', () => true, new AbortController().signal));
  db.prepare("CREATE TRIGGER no_room BEFORE INSERT ON posts BEGIN SELECT RAISE(ABORT, 'no room'); END").run();
  for (let failures = 1; failures <= 3; failures++) {
    await t.throwsAsync(take, { message: /no room/ });
    t.is(writer.failuresInARow, failures);
  }
  t.deepEqual(heard, []);
  db.prepare('DROP TRIGGER no_room').run();
  t.like(await take(), { stored: 2, refused: 0 });
  t.is(writer.failuresInARow, 0);
  t.is(heard.length, 1);
});
