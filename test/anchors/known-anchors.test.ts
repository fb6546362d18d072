import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { addressBlocks } from '../../kernel/transport/address-blocks.ts';
import { ANCHORS_PER_BLOCK_MAX, KnownAnchors } from '../../plugins/anchors/known-anchors.ts';
import anchorsPlugin from '../../plugins/anchors/plugin.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const id = (number: number) => number.toString(16).padStart(64, '0') as NodeId;

test('one machine with an IPv6 address for each of its names displaced all known anchors', (t) => {
  const store = openStore({
    path: join(temporaryDirectory(t), 'itsgoin.db'),
    log: recordingLog(),
    clock: systemClock(),
  });
  t.teardown(() => store.close());
  store.migrate('anchors', anchorsPlugin.migrations ?? [], ['expand']);
  const known = new KnownAnchors(store.database('anchors'), { mayDial: () => true, blocksOf: addressBlocks() });
  known.seen(id(9_999), ['[2600:2::1]:4433'], 1);
  for (let at = 0; at < 400; at++) known.seen(id(at), [`[2600:1::${at.toString(16)}]:4433`], 2 + at);
  t.is(known.all().length, 1 + ANCHORS_PER_BLOCK_MAX);
  for (let at = 0; at < 400; at++) known.seen(id(1_000 + at), [`[2600:1:0:${at.toString(16)}::1]:4433`], 500 + at);
  t.is(known.all().length, 1 + 4 * ANCHORS_PER_BLOCK_MAX, 'a /48 has four shares');
  t.truthy(known.get(id(9_999)));
});
