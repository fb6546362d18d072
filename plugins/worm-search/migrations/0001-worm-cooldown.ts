import type { Migration } from '../../../kernel/index.ts';

/** DB-23: what was searched for in vain, so that a restart does not search again at once. */
export const wormCooldown: Migration = {
  id: '0001-worm-cooldown',
  kind: 'expand',
  sql: `
    CREATE TABLE worm_cooldown (
      kind TEXT NOT NULL CHECK (kind IN ('node', 'post', 'blob')),
      target_id TEXT NOT NULL,
      missed_ms INTEGER NOT NULL,
      PRIMARY KEY (kind, target_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX worm_cooldown_by_age ON worm_cooldown (missed_ms);
  `,
};
