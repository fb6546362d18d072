import type { Migration } from '../../../kernel/index.ts';

/** The posts of everybody, newest first: how a feed of many is read (see `Feed`). */
export const postsByTimeMigration: Migration = {
  id: '0004-posts-by-time',
  kind: 'expand',
  sql: 'CREATE INDEX posts_time ON posts (timestamp_ms, author);',
};
