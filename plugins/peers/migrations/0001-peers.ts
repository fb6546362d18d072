import type { Migration } from '../../../kernel/index.ts';

/**
 * DB-01, with why a node is remembered (the user connected to it, or another plugin keeps it reachable),
 * whether it was a peer when this node last ran, and where it was proved to be. Mesh made the table once.
 */
export const peersTable: Migration = {
  id: '0001-peers',
  kind: 'expand',
  adopts: ['peers'],
  sql: `
    CREATE TABLE IF NOT EXISTS peers (
      node_id TEXT PRIMARY KEY,
      addresses TEXT NOT NULL,
      nat_type TEXT NOT NULL DEFAULT 'unknown',
      last_seen_ms INTEGER NOT NULL DEFAULT 0,
      connected_by_user INTEGER NOT NULL DEFAULT 0,
      kept_reachable INTEGER NOT NULL DEFAULT 0,
      held_off INTEGER NOT NULL DEFAULT 0,
      online INTEGER NOT NULL DEFAULT 0,
      proved_address TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS peers_by_age ON peers (last_seen_ms);
  `,
};
