import type { Migration } from '../../../kernel/index.ts';

/** Which address blocks a row counts for, so that one host fills no more than its share; NULL for none. */
export const peerBlocks: Migration = {
  id: '0002-peer-blocks',
  kind: 'expand',
  sql: `
    ALTER TABLE peers ADD COLUMN block TEXT;
    ALTER TABLE peers ADD COLUMN site TEXT;
    CREATE INDEX peers_block ON peers (block, last_seen_ms) WHERE block IS NOT NULL;
    CREATE INDEX peers_site ON peers (site, last_seen_ms) WHERE site IS NOT NULL;
  `,
};
