import type { Migration } from '../../../kernel/index.ts';

/** Whom the user follows (DB-04), who follows the user, and profiles (DB-03). */
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
  `,
};
