import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { identityOf } from '../../kernel/identity/index.ts';
import type { Identity } from '../../kernel/identity/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { dataPaths } from '../../kernel/store/data-directory.ts';
import type { TestNode } from '../../kernel/testing/index.ts';
import { profileUpdate } from '../../plugins/social/messages.ts';
import { profileRecords } from '../../plugins/social/profile-record.ts';
import { Profiles } from '../../plugins/social/profiles.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { meshNet } from '../mesh/mesh-net.ts';

/** What only the owner of a node can do. */
function identityOfNode({ dataDir }: TestNode): Identity {
  const seed = (name: string): Uint8Array => new Uint8Array(readFileSync(join(dataDir, name)));
  return identityOf(seed('identity.key'), seed('device.key'));
}

/** The profiles on the disk of a stopped node. */
function onDisk<R>(node: TestNode, work: (profiles: Profiles) => R): R {
  const { clock } = node;
  const store = openStore({ path: dataPaths(node.dataDir).database, log: recordingLog(), clock });
  try {
    return work(new Profiles(store.database('social'), node.id));
  } finally {
    store.close();
  }
}

const later = { pronouns: 'they/them', links: [{ to: 'https://example.org', tags: [] }] };

test('a profile with fields of a later version goes from disk to disk as it was signed', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.stop();
  const fields = { author: anna.id, name: 'Anna', bio: '', timestamp_ms: net.clock.now(), ...later };
  const record = profileRecords.sign(identityOfNode(anna), fields);
  t.true(onDisk(anna, (profiles) => profiles.store(record, net.clock.now())));
  await net.restart(anna);
  await bert.run('peer.connect', { target: anna.connectString });
  await net.advance(10);
  t.like(await bert.run('profile.show', { node_id: anna.id }), { name: 'Anna' });
  await bert.stop();
  t.deepEqual(
    onDisk(bert, (profiles) => profiles.get(anna.id)),
    record,
  );
  await net.restart(bert);
  t.like(await bert.run('profile.show', { node_id: anna.id }), { name: 'Anna' });
});

test('they are taken by notice as well, and an own change leaves them in', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('peer.connect', { target: anna.connectString });
  await net.advance(10);
  const fields = { author: anna.id, name: 'Anna', bio: 'Hej', timestamp_ms: net.clock.now(), ...later };
  const record = profileRecords.sign(identityOfNode(anna), fields);
  await anna.kernel.network.sendTo(bert.id, profileUpdate, record);
  // Another device of the user's, as the next exchange will tell this one.
  await anna.stop();
  onDisk(anna, (profiles) => profiles.store(record, net.clock.now()));
  const again = await net.restart(anna);
  await again.run('profile.set', { bio: 'Hej då' });
  await net.advance(2_000);
  await bert.stop();
  t.like(
    onDisk(bert, (profiles) => profiles.get(anna.id)),
    { ...later, name: 'Anna', bio: 'Hej då' },
  );
});
