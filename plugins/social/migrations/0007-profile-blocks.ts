import type { Migration } from '../../../kernel/index.ts';

/** Which address blocks a stranger's profile counts for, so that one host has no more than its share; NULL for none. */
export const profileBlocks: Migration = {
  id: '0007-profile-blocks',
  kind: 'expand',
  sql: `
    ALTER TABLE profiles ADD COLUMN block TEXT;
    ALTER TABLE profiles ADD COLUMN site TEXT;
    CREATE INDEX profiles_block ON profiles (block, received_ms) WHERE block IS NOT NULL;
    CREATE INDEX profiles_site ON profiles (site, received_ms) WHERE site IS NOT NULL;
  `,
};
