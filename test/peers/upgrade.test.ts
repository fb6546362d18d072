import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { meshNet } from '../mesh/mesh-net.ts';

/** The steps as mesh applied them when the table of peers was its own. */
const FORMER = [
  {
    id: '0001-peers',
    kind: 'expand' as const,
    sql: `
      CREATE TABLE peers (
        node_id TEXT PRIMARY KEY, addresses TEXT NOT NULL, nat_type TEXT NOT NULL DEFAULT 'unknown',
        last_seen_ms INTEGER NOT NULL DEFAULT 0, connected_by_user INTEGER NOT NULL DEFAULT 0,
        kept_reachable INTEGER NOT NULL DEFAULT 0, held_off INTEGER NOT NULL DEFAULT 0, online INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX peers_by_age ON peers (last_seen_ms);
    `,
  },
  {
    id: '0002-mesh-members',
    kind: 'expand' as const,
    sql: `
      CREATE TABLE preferred_peers (
        node_id TEXT PRIMARY KEY, agreed_at_ms INTEGER NOT NULL, last_reached_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE mesh_blacklist (node_id TEXT PRIMARY KEY, added_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      ALTER TABLE peers ADD COLUMN proved_address TEXT NOT NULL DEFAULT '';
    `,
  },
];
const [KNOWN, PREFERRED, SHUNNED] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string];

/** A data directory as a node left it that had one plugin for all of the mesh. */
function formerNode(t: ExecutionContext, config: object = {}): string {
  const dataDir = temporaryDirectory(t);
  const path = join(dataDir, 'itsgoin.db');
  const store = openStore({ path, log: recordingLog(), clock: systemClock(), durable: false });
  store.migrate('mesh', FORMER, ['expand']);
  const db = store.database('mesh');
  db.prepare(
    'INSERT INTO peers (node_id, addresses, last_seen_ms, connected_by_user, proved_address) VALUES (?, ?, ?, 1, ?)',
  ).run(KNOWN, JSON.stringify(['5.6.7.77:4433']), 1_000, '5.6.7.77:4433');
  db.prepare('INSERT INTO preferred_peers VALUES (?, 1, 1)').run(PREFERRED);
  db.prepare('INSERT INTO mesh_blacklist VALUES (?, 1)').run(SHUNNED);
  store.close();
  writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ plugins: { mesh: { config } } }));
  return dataDir;
}

test('what a node remembered when mesh was one plugin is there, and the table of peers has its new owner', async (t) => {
  const net = meshNet(t);
  const dataDir = formerNode(t);
  const node = await net.add({ name: 'anna', dataDir });
  t.like(await node.run('peer.explain', { node_id: KNOWN }), {
    addresses: ['5.6.7.77:4433'],
    last_seen_ms: 1_000,
    connected_by_user: true,
  });
  t.deepEqual(await node.run('mesh.blacklist'), { nodes: [SHUNNED] });
  t.like(await node.run('mesh.slots'), { preferred: [PREFERRED] });
  await node.stop();
  const file = new Sqlite(join(dataDir, 'itsgoin.db'), { readonly: true });
  const owners = file
    .prepare('SELECT name, owner FROM kernel_tables WHERE name IN (?, ?)')
    .all('peers', 'mesh_blacklist');
  file.close();
  t.deepEqual(owners, [
    { name: 'mesh_blacklist', owner: 'mesh' },
    { name: 'peers', owner: 'peers' },
  ]);
});

test('settings that were of mesh count for peers until they are set there, and cannot be set under the old name', async (t) => {
  const net = meshNet(t);
  const node = await net.add({ name: 'anna', dataDir: formerNode(t, { redialBaseMs: 7_000, maxMesh: 9 }) });
  const configOf = (plugin: string) => node.inspect(plugin).config;
  t.like(configOf('peers'), { redialBaseMs: 7_000, redialMaxMs: 60_000 });
  t.deepEqual(Object.keys(configOf('mesh')).includes('redialBaseMs'), false);
  t.like(configOf('mesh'), { maxMesh: 9 });
  await node.configure('peers', { redialBaseMs: 300 });
  t.like(configOf('peers'), { redialBaseMs: 300 });
  const change = (before: Record<string, unknown>) => ({ ...before, redialBaseMs: 8_000 });
  await t.throwsAsync(node.configure('mesh', change), { code: 'config/moved-key' });
  // Another setting of mesh can be changed while the file still has the old one.
  t.is((await node.configure('mesh', (before) => ({ ...before, maxMesh: 10 }))).outcome, 'committed');
});

test('a node of before with mesh switched off grows no mesh, and reaches whom it follows all the same', async (t) => {
  const net = meshNet(t);
  const dataDir = formerNode(t);
  writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ plugins: { mesh: { enabled: false } } }));
  const anna = await net.add({ name: 'anna', dataDir });
  const bert = await net.add({ name: 'bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(60_000);
  t.like(await anna.run('peer.list'), { peers: [{ node_id: bert.id, slot: 'none' }] });
  const states = anna.kernel.host.list().map(({ name, state }) => [name, state]);
  t.like(Object.fromEntries(states), { mesh: 'off', peers: 'active', routing: 'active', lookup: 'active' });
});
