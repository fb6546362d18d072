import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { addressBlocks } from '../../kernel/transport/address-blocks.ts';
import { PeerStore } from '../../plugins/peers/peer-store.ts';
import peersPlugin from '../../plugins/peers/plugin.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const SHARE = 100;
const id = (n: number): NodeId => n.toString(16).padStart(64, '0') as NodeId;
const blocksOf = addressBlocks();

function rig(t: Parameters<typeof temporaryDirectory>[0]) {
  const store = openStore({
    path: join(temporaryDirectory(t), 'itsgoin.db'),
    log: recordingLog(),
    clock: systemClock(),
  });
  t.teardown(() => store.close());
  store.migrate('peers', peersPlugin.migrations ?? [], ['expand']);
  const peers = new PeerStore(store.database('peers'));
  const seen = (n: number, seenAt: string, nowMs: number) =>
    peers.seen({ nodeId: id(n), seenAt, told: [], natType: 'public', blocks: blocksOf(seenAt), share: SHARE, nowMs });
  return { peers, seen };
}

test('one host wrote itself into the address book ten thousand times, and displaced everybody', (t) => {
  const { peers, seen } = rig(t);
  seen(9_001, '198.51.100.7:1', 1);
  peers.gone(id(9_001), 1);
  for (let n = 1; n <= 1_000; n++) {
    seen(n, `192.0.2.1:${n}`, n);
    peers.gone(id(n), n);
  }
  t.is(peers.count(), SHARE + 1);
  t.truthy(peers.get(id(9_001)) && peers.get(id(1_000)));
  t.is(peers.get(id(900)), undefined, 'the one away for longest makes room');
});

test('a friend behind a full address is remembered, and takes nothing of its share', (t) => {
  const { peers, seen } = rig(t);
  peers.connected(id(5_000), ['192.0.2.1:9']);
  for (let n = 1; n <= SHARE; n++) seen(n, `192.0.2.1:${n}`, n);
  t.is(peers.count(), SHARE + 1);
  seen(5_000, '192.0.2.1:9', 200);
  t.is(peers.get(id(5_000))?.lastSeenMs, 200);
  // All of the share are here at this moment: a further one is a peer, but not remembered.
  seen(6_000, '192.0.2.1:10', 300);
  t.is(peers.get(id(6_000)), undefined);
  t.is(peers.count(), SHARE + 1);
});

test('a /48 has the rows of four households, whatever its /64s', (t) => {
  const { peers, seen } = rig(t);
  for (let n = 1; n <= 1_000; n++) {
    seen(n, `[2001:db8:1:${(n % 50).toString(16)}::1]:1`, n);
    peers.gone(id(n), n);
  }
  t.is(peers.count(), 4 * SHARE);
});
