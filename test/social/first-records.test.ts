import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { identityOf } from '../../kernel/identity/index.ts';
import { fieldsOf } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import type { DeleteRecord, SyncPost } from '../../plugins/content/api.ts';
import { deleteRecords } from '../../plugins/content/delete-record.ts';
import { composePost } from '../../plugins/content/publish.ts';
import { verifyPost } from '../../plugins/content/verify-post.ts';
import { addressRecords } from '../../plugins/presence/address-record.ts';
import type { AddressRecord } from '../../plugins/presence/address-record.ts';
import { profileRecords, verifyProfile } from '../../plugins/social/profile-record.ts';
import type { ProfileRecord } from '../../plugins/social/profile-record.ts';
import { Profiles } from '../../plugins/social/profiles.ts';
import socialPlugin from '../../plugins/social/plugin.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Records as nodes made them before records had a kit of their own: what is stored and under way stays valid. */
const first = JSON.parse(readFileSync('test/fixtures/first-records.json', 'utf8')) as {
  readonly profiles: readonly ProfileRecord[];
  readonly addresses: readonly AddressRecord[];
  readonly posts: readonly SyncPost[];
  readonly deletes: readonly DeleteRecord[];
};
const seed = (text: string): Uint8Array => createHash('sha256').update(text).digest();
/** Who signed them all. */
const anna = identityOf(seed('anna'), seed('anna/device'));
const NOW = 1_767_225_600_000;

test('the first records verify', async (t) => {
  for (const record of first.profiles) t.deepEqual(verifyProfile(record, NOW), { record });
  for (const record of first.addresses) t.deepEqual(addressRecords.verify(record, { nowMs: NOW }), { record });
  for (const record of first.deletes) t.deepEqual(deleteRecords.verify(record, { nowMs: NOW }), { record });
  for (const post of first.posts) t.like(await verifyPost(post, { nowMs: NOW }), { post });
});

test('the same fields signed today are the same bytes, so that the first nodes take our records too', (t) => {
  for (const record of first.profiles) t.deepEqual(profileRecords.sign(anna, fieldsOf(record)), record);
  for (const record of first.addresses) t.deepEqual(addressRecords.sign(anna, fieldsOf(record)), record);
  for (const record of first.deletes) t.deepEqual(deleteRecords.sign(anna, fieldsOf(record)), record);
  for (const post of first.posts) {
    const { content, timestamp_ms, nplus10 } = post.post;
    t.deepEqual(composePost(anna, content, timestamp_ms, nplus10), post);
  }
});

test('a stored profile comes out as it went in: of the first version, and with fields of a later one', (t) => {
  const store = openStore({
    path: join(temporaryDirectory(t), 'x.db'),
    log: recordingLog(),
    clock: new VirtualClock(),
  });
  t.teardown(() => store.close());
  store.migrate('social', socialPlugin.migrations ?? [], ['expand']);
  const db = store.database('social');
  const profiles = new Profiles(db, anna.nodeId);
  const [plain, , anchored] = first.profiles as [ProfileRecord, ProfileRecord, ProfileRecord];
  const later = profileRecords.sign(anna, {
    ...fieldsOf(anchored),
    ...{ pronouns: 'she/her', links: [1, { two: null }] },
    timestamp_ms: NOW + 2,
  });
  for (const record of [plain, { ...anchored, timestamp_ms: NOW + 1 }, later]) {
    t.true(profiles.store(record, NOW));
    t.deepEqual(profiles.get(anna.nodeId), record);
  }
  t.deepEqual(verifyProfile(profiles.get(anna.nodeId), NOW), { record: later });
  // A row as the first version wrote it.
  db.prepare('UPDATE profiles SET more = NULL, name = ?, bio = ?, anchors = ?, timestamp_ms = ?, signature = ?').run(
    ...[plain.name, plain.bio, '[]', plain.timestamp_ms, plain.signature],
  );
  t.deepEqual(verifyProfile(profiles.get(anna.nodeId), NOW), { record: plain });
});
