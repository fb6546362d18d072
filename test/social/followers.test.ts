import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import type { AddressBlock, NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { Followers } from '../../plugins/social/followers.ts';
import socialPlugin from '../../plugins/social/plugin.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
const SHARE = 100;
const id = (n: number): NodeId => n.toString(16).padStart(64, '0') as NodeId;
const host = (name: string): AddressBlock[] => [{ name, shares: 1 }];
const ipv6 = (site: number, net: number): AddressBlock[] => [
  { name: `2001:db8:${site}:${net}::/64`, shares: 1 },
  { name: `2001:db8:${site}::/48`, shares: 4 },
];

function rig(t: Parameters<typeof temporaryDirectory>[0], kept: NodeId[] = []) {
  const store = openStore({
    path: join(temporaryDirectory(t), 'itsgoin.db'),
    log: recordingLog(),
    clock: systemClock(),
  });
  t.teardown(() => store.close());
  store.migrate('social', socialPlugin.migrations ?? [], ['expand']);
  return new Followers(store.database('social'), (nodeId) => kept.includes(nodeId));
}

test('one host invented as many followers as it liked, and real ones found no room', (t) => {
  const followers = rig(t);
  const heard = Array.from({ length: 300 }, (_, n) =>
    followers.heard(id(n), true, NOW + n, host('192.0.2.1/32'), SHARE),
  );
  t.is(heard.filter((outcome) => outcome === 'changed').length, SHARE);
  t.is(heard.at(-1), 'share');
  t.is(followers.heard(id(999), true, NOW, host('198.51.100.7/32'), SHARE), 'changed');
  t.is(followers.heard(id(1_000), true, NOW, [], SHARE), 'changed', 'who counts for no block');
});

test('a /48 gets four shares of a /64, whatever its /64s', (t) => {
  const followers = rig(t);
  let changed = 0;
  for (let n = 0; n < 1_000; n++) {
    if (followers.heard(id(n), true, NOW, ipv6(1, n % 50), SHARE) === 'changed') changed++;
  }
  t.is(changed, 4 * SHARE);
  t.is(followers.heard(id(2_000), true, NOW, ipv6(2, 1), SHARE), 'changed');
});

test('a full address makes room for a new follower in place of one unheard of for a day, but not of one who is followed', (t) => {
  const followers = rig(t, [id(0)]);
  for (let n = 0; n < SHARE; n++) followers.heard(id(n), true, NOW + n, host('192.0.2.1/32'), SHARE);
  followers.heard(id(1), true, NOW + DAY_MS, host('192.0.2.1/32'), SHARE);
  t.is(followers.heard(id(500), true, NOW + DAY_MS + 50, host('192.0.2.1/32'), SHARE), 'changed');
  t.true(followers.has(id(0)) && followers.has(id(1)));
  t.false(followers.has(id(2)));
  t.is(followers.count(), SHARE);
});

test('a blocked follower is taken off and stays off until it is let in again', (t) => {
  const followers = rig(t);
  followers.heard(id(1), true, NOW, [], SHARE);
  t.true(followers.block(id(1), NOW));
  t.is(followers.heard(id(1), true, NOW, [], SHARE), 'blocked');
  t.deepEqual(followers.blocked(10), [id(1)]);
  t.true(followers.unblock(id(1)));
  t.false(followers.unblock(id(1)));
  t.is(followers.heard(id(1), true, NOW, [], SHARE), 'changed');
  t.is(followers.heard(id(1), false, NOW, [], SHARE), 'changed');
  t.false(followers.has(id(1)));
});
