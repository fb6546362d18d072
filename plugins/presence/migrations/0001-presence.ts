import type { Migration } from '../../../kernel/index.ts';

/**
 * Routes of contacts with the nine fields of SOC-01, their signed records and check-ins (DB-10), who asked
 * about whom (DB-11), and how many neighbours this node had of late, which contacts are named in proportion
 * to (PRIV-01). Social made these tables once.
 */
export const presenceTables: Migration = {
  id: '0001-presence',
  kind: 'expand',
  adopts: ['social_routes', 'reconnect_watchers', 'social_company'],
  sql: `
    CREATE TABLE IF NOT EXISTS social_routes (
      node_id TEXT PRIMARY KEY,
      nplus10 TEXT NOT NULL DEFAULT '[]',
      addresses TEXT NOT NULL DEFAULT '[]',
      peer_addresses TEXT NOT NULL DEFAULT '[]',
      relation TEXT NOT NULL CHECK (relation IN ('follow', 'audience', 'mutual')),
      status TEXT NOT NULL DEFAULT 'disconnected' CHECK (status IN ('online', 'disconnected')),
      last_connected_ms INTEGER NOT NULL DEFAULT 0,
      reach_method TEXT NOT NULL DEFAULT 'direct' CHECK (reach_method IN ('direct', 'relay', 'indirect')),
      preferred_tree TEXT NOT NULL DEFAULT '[]',
      record TEXT,
      told_addresses TEXT NOT NULL DEFAULT '[]',
      checkin_due_ms INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS reconnect_watchers (
      target TEXT NOT NULL,
      watcher TEXT NOT NULL,
      registered_ms INTEGER NOT NULL,
      told_ms INTEGER NOT NULL DEFAULT 0,
      told_online INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (target, watcher)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS reconnect_watchers_by_watcher ON reconnect_watchers (watcher);
    CREATE INDEX IF NOT EXISTS reconnect_watchers_by_age ON reconnect_watchers (registered_ms);
    CREATE TABLE IF NOT EXISTS social_company (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      neighbours INTEGER NOT NULL
    ) STRICT;
  `,
};
