import type { Migration } from '../../../kernel/index.ts';

/** DB-03, DB-04, DB-10 (with the nine fields of SOC-01), and who follows the user. */
export const socialTables: Migration = {
  id: '0001-social',
  kind: 'expand',
  sql: `
    CREATE TABLE follows (
      node_id TEXT PRIMARY KEY,
      followed_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE followers (
      node_id TEXT PRIMARY KEY,
      since_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE profiles (
      node_id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      bio TEXT NOT NULL,
      timestamp_ms INTEGER NOT NULL,
      signature TEXT NOT NULL,
      received_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX profiles_by_age ON profiles (received_ms);
    CREATE TABLE social_routes (
      node_id TEXT PRIMARY KEY,
      nplus10 TEXT NOT NULL DEFAULT '[]',
      addresses TEXT NOT NULL DEFAULT '[]',
      peer_addresses TEXT NOT NULL DEFAULT '[]',
      relation TEXT NOT NULL CHECK (relation IN ('follow', 'audience', 'mutual')),
      status TEXT NOT NULL DEFAULT 'disconnected' CHECK (status IN ('online', 'disconnected')),
      last_connected_ms INTEGER NOT NULL DEFAULT 0,
      reach_method TEXT NOT NULL DEFAULT 'direct' CHECK (reach_method IN ('direct', 'relay', 'indirect')),
      preferred_tree TEXT NOT NULL DEFAULT '[]'
    ) STRICT, WITHOUT ROWID;
  `,
};
