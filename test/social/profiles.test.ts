import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { addressBlocks } from '../../kernel/transport/address-blocks.ts';
import socialPlugin from '../../plugins/social/plugin.ts';
import { Profiles } from '../../plugins/social/profiles.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const SHARE = 100;
const id = (n: number): NodeId => n.toString(16).padStart(64, '0') as NodeId;
const record = (n: number, timestampMs: number) =>
  ({ author: id(n), name: `n${n}`, bio: '', timestamp_ms: timestampMs, signature: '' }) as never;

test('one host filled the table of profiles with people it made up, and others were forgotten', (t) => {
  const store = openStore({
    path: join(temporaryDirectory(t), 'itsgoin.db'),
    log: recordingLog(),
    clock: systemClock(),
  });
  t.teardown(() => store.close());
  store.migrate('social', socialPlugin.migrations ?? [], ['expand']);
  const db = store.database('social');
  const profiles = new Profiles(db, id(0));
  const blocksOf = addressBlocks();
  t.true(profiles.store(record(9_001, 1), 1, blocksOf('198.51.100.7:1'), SHARE));
  db.prepare('INSERT INTO follows (node_id, followed_at_ms) VALUES (?, 0)').run(id(9_002));
  t.true(profiles.store(record(9_002, 1), 1));
  for (let n = 1; n <= 1_000; n++) t.true(profiles.store(record(n, 1), n, blocksOf(`192.0.2.1:${n}`), SHARE));
  t.is(profiles.count(), SHARE + 2);
  t.is(profiles.get(id(900)), undefined, 'the one without news for longest makes room');
  t.truthy(profiles.get(id(901)) && profiles.get(id(9_001)) && profiles.get(id(9_002)));
  // News of one that is known take nothing from anybody.
  t.true(profiles.store(record(901, 2), 2_000, blocksOf('192.0.2.1:7'), SHARE));
  t.is(profiles.count(), SHARE + 2);
  // Whoever is excepted counts for no block.
  for (let n = 2_000; n < 2_200; n++) profiles.store(record(n, 1), n, blocksOf('192.168.0.9:1'), SHARE);
  t.is(profiles.count(), SHARE + 202);
});
