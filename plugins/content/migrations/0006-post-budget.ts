import type { Migration } from '../../../kernel/index.ts';

/**
 * What each author takes of the disk, and took of it on the day of the last post; the newest post of it that made
 * room for others; and which posts the user opened, by row number.
 */
export const postBudgetMigration: Migration = {
  id: '0006-post-budget',
  kind: 'expand',
  sql: `
    ALTER TABLE authors ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE authors ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE authors ADD COLUMN day_bytes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE authors ADD COLUMN evicted_ms INTEGER NOT NULL DEFAULT 0;
    UPDATE authors SET bytes = sums.bytes
      FROM (SELECT author, sum(length(CAST(body AS BLOB)) + 150) AS bytes FROM posts GROUP BY author) AS sums
      WHERE sums.author = authors.n;
    CREATE TABLE opened_posts (seq INTEGER PRIMARY KEY);
  `,
};
