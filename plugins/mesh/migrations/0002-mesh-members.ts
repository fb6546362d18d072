import type { Migration } from '../../../kernel/index.ts';

/** Agreed preferred peers (PREF-03), and nodes kept out of the mesh (MESH-08). */
export const meshMembers: Migration = {
  id: '0002-mesh-members',
  kind: 'expand',
  sql: `
    CREATE TABLE preferred_peers (
      node_id TEXT PRIMARY KEY,
      agreed_at_ms INTEGER NOT NULL,
      last_reached_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE mesh_blacklist (
      node_id TEXT PRIMARY KEY,
      added_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
