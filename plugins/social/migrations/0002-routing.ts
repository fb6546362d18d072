import type { Migration } from '../../../kernel/index.ts';

/** What social routing adds: signed records and check-ins of contacts, and who asked about whom (DB-11). */
export const routingTables: Migration = {
  id: '0002-routing',
  kind: 'expand',
  sql: `
    ALTER TABLE social_routes ADD COLUMN record TEXT;
    ALTER TABLE social_routes ADD COLUMN told_addresses TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE social_routes ADD COLUMN checkin_due_ms INTEGER NOT NULL DEFAULT 0;
    INSERT INTO social_routes (node_id, relation)
      SELECT node_id, 'audience' FROM followers
      WHERE node_id NOT IN (SELECT node_id FROM social_routes)
      ORDER BY since_ms DESC LIMIT 1000;
    CREATE TABLE reconnect_watchers (
      target TEXT NOT NULL,
      watcher TEXT NOT NULL,
      registered_ms INTEGER NOT NULL,
      told_ms INTEGER NOT NULL DEFAULT 0,
      told_online INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (target, watcher)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX reconnect_watchers_by_watcher ON reconnect_watchers (watcher);
    CREATE INDEX reconnect_watchers_by_age ON reconnect_watchers (registered_ms);
  `,
};
