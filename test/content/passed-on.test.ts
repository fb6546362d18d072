import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { certifyDevice } from '../../kernel/identity/certificate.ts';
import { privateKeyOf, signMessage } from '../../kernel/identity/index.ts';
import type { Identity } from '../../kernel/identity/index.ts';
import { hexToBytes } from '../../kernel/index.ts';
import type { Signer } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { deleteRecord, postNotification } from '../../plugins/content/api.ts';
import { deleteRecords } from '../../plugins/content/delete-record.ts';
import { composePost } from '../../plugins/content/publish.ts';
import { postIdOf } from '../../plugins/content/post-id.ts';
import { PostStore } from '../../plugins/content/post-store.ts';
import contentPlugin from '../../plugins/content/plugin.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { testIdentity, World } from './world.ts';
import type { TestNode } from './world.ts';

const DAY_MS = 24 * 3_600_000;

/** A linked device of an identity: it signs with a key of its own and shows the identity's certificate. */
function linkedDevice(of: Identity, nowMs: number): Signer {
  const phone = testIdentity('phone');
  const validity = { notBeforeMs: nowMs - DAY_MS, notAfterMs: nowMs + 80 * DAY_MS };
  const der = certifyDevice(of.identitySeed, hexToBytes(phone.deviceId), validity);
  return {
    self: of.self,
    sign: (domain, bytes) => signMessage(privateKeyOf(phone.deviceSeed), domain, bytes),
    deviceCertificate: Buffer.from(der).toString('base64'),
  };
}

/** `friend` follows `author` and knows nobody but `reader`, who follows both. */
async function trio(
  t: ExecutionContext,
): Promise<{ world: World; author: TestNode; reader: TestNode; friend: TestNode }> {
  const world = new World(t);
  const [author, reader, friend] = [await world.node('author'), await world.node('reader'), await world.node('friend')];
  await reader.follow(author);
  await friend.follow(author);
  await friend.follow(reader);
  return { world, author, reader, friend };
}

test('a post of a linked device passes through other nodes with its certificate', async (t) => {
  const { world, author, reader, friend } = await trio(t);
  const now = world.clock.now();
  const post = composePost(linkedDevice(author.identity, now), 'from my phone', now, [author.id]);
  const notice = { post_id: post.id, author: author.id, timestamp_ms: now, post };
  await world.clock.until(reader.receive(author, postNotification, notice));
  await reader.reload();
  await world.connect(reader, friend);
  await friend.run('sync.now');
  t.deepEqual(await friend.texts(), ['from my phone']);
  t.deepEqual(await friend.service((content) => content.get(post.id)), post);
  t.deepEqual(await friend.service((content) => content.fetch(post.id, reader.id)), post);
});

test('a delete by a linked device, with a field of a later version, passes through other nodes whole', async (t) => {
  const { world, author, reader, friend } = await trio(t);
  const now = world.clock.now();
  const post = composePost(author.identity, 'oops', now, [author.id]);
  const fields = { post_id: post.id, author: author.id, timestamp_ms: now, why: 'typo' };
  const record = deleteRecords.sign(linkedDevice(author.identity, now), fields);
  await world.clock.until(reader.receive(author, deleteRecord, record));
  await reader.reload();
  const told = reader.told('deletes', friend) as { deletes: unknown[] };
  t.deepEqual(told.deletes, [record]);
  await world.connect(reader, friend);
  const notice = { post_id: post.id, author: author.id, timestamp_ms: now, post };
  await world.clock.until(friend.receive(author, postNotification, notice));
  t.deepEqual(await friend.texts(), [], 'the friend has the delete from the reader');
  t.is(friend.counters.read()['post-refused:deleted'], 1);
  await friend.run('sync.now');
  const second = friend.told('deletes', reader) as { deletes: unknown[] };
  t.deepEqual(second.deletes, [record]);
});

test('long delete records are told as far as there is room, the newest first', (t) => {
  const file = openStore({ path: join(temporaryDirectory(t), 'x.db'), log: recordingLog(), clock: new VirtualClock() });
  t.teardown(() => file.close());
  file.migrate('content', contentPlugin.migrations ?? [], ['expand']);
  const db = file.database('content');
  const store = new PostStore(db);
  const author = testIdentity('author');
  const records = Array.from({ length: 20 }, (_, n) => {
    const post_id = postIdOf(Buffer.of(n));
    const fields = { post_id, author: author.nodeId, timestamp_ms: n + 1, padding: 'x'.repeat(n * 10) };
    return deleteRecords.sign(author, fields);
  });
  db.transaction(() => {
    for (const record of records) store.bury(record);
  });
  const newestFirst = records.toReversed();
  const bytes = (count: number): number => JSON.stringify(newestFirst.slice(0, count)).length;
  t.deepEqual(store.recentDeletes(20, 1_000_000), newestFirst);
  t.deepEqual(store.recentDeletes(3, 1_000_000), newestFirst.slice(0, 3));
  t.deepEqual(store.recentDeletes(20, bytes(5)), newestFirst.slice(0, 5));
  t.deepEqual(store.recentDeletes(20, bytes(5) - 2), newestFirst.slice(0, 4));
  t.deepEqual(store.recentDeletes(20, 10), []);
});
