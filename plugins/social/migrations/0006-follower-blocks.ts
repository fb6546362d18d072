import type { Migration } from '../../../kernel/index.ts';

/**
 * Where a follower was when it was last heard of, so that one host is no more than its share of them: the address
 * blocks it counts for, NULL for none. Whom the user blocked says so for ever and is not recorded.
 */
export const followerBlocks: Migration = {
  id: '0006-follower-blocks',
  kind: 'expand',
  sql: `
    ALTER TABLE followers ADD COLUMN heard_ms INTEGER NOT NULL DEFAULT 0;
    UPDATE followers SET heard_ms = since_ms;
    ALTER TABLE followers ADD COLUMN block TEXT;
    ALTER TABLE followers ADD COLUMN site TEXT;
    CREATE INDEX followers_block ON followers (block, heard_ms) WHERE block IS NOT NULL;
    CREATE INDEX followers_site ON followers (site, heard_ms) WHERE site IS NOT NULL;
    CREATE INDEX followers_heard ON followers (heard_ms);
    CREATE TABLE followers_blocked (
      node_id TEXT PRIMARY KEY,
      blocked_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
