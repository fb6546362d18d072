import type { Migration } from '../../../kernel/index.ts';

/** Nothing but these three columns (ANCH-04): no scores, no counts. `last_seen` is ms since the epoch. */
export const knownAnchorsTable: Migration = {
  id: '0001-known-anchors',
  kind: 'expand',
  sql: `
    CREATE TABLE known_anchors (
      node_id TEXT PRIMARY KEY,
      addresses TEXT NOT NULL,
      last_seen INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX known_anchors_last_seen ON known_anchors (last_seen);
  `,
};
