import type { Migration } from '../../../kernel/index.ts';

/**
 * Posts and delete records draw `seq`, the order of arrival here, from one sequence: an author's rows
 * of both tables in that order are the log which pull sync reads, so a post that reaches us late still
 * comes after every marker handed out before.
 *
 * A tombstone's key holds the author too: a stranger's record for a post we do not have yet must not
 * keep the real author's record out (DEL-02).
 */
export const postsMigration: Migration = {
  id: '0001-posts',
  kind: 'expand',
  sql: `
    CREATE TABLE authors (
      n INTEGER PRIMARY KEY,
      node_id BLOB NOT NULL UNIQUE
    );
    CREATE TABLE posts (
      seq INTEGER PRIMARY KEY,
      id BLOB NOT NULL UNIQUE,
      author INTEGER NOT NULL REFERENCES authors (n),
      timestamp_ms INTEGER NOT NULL,
      body TEXT NOT NULL,
      signature BLOB NOT NULL,
      visibility TEXT NOT NULL
    );
    CREATE INDEX posts_feed ON posts (author, timestamp_ms DESC, id);
    CREATE INDEX posts_log ON posts (author);
    CREATE TABLE deleted_posts (
      post_id BLOB NOT NULL,
      author BLOB NOT NULL,
      timestamp_ms INTEGER NOT NULL,
      signature BLOB NOT NULL,
      seq INTEGER NOT NULL UNIQUE,
      PRIMARY KEY (post_id, author)
    );
    CREATE INDEX deleted_posts_log ON deleted_posts (author, seq);
    CREATE TABLE sync_log (
      id TEXT NOT NULL
    );
    INSERT INTO sync_log VALUES (lower(hex(randomblob(16))));
    CREATE TABLE sync_peers (
      peer BLOB PRIMARY KEY,
      log TEXT NOT NULL
    );
    CREATE TABLE sync_cursors (
      peer BLOB NOT NULL,
      author BLOB NOT NULL,
      since INTEGER NOT NULL,
      PRIMARY KEY (peer, author)
    ) WITHOUT ROWID;
    CREATE INDEX sync_cursors_author ON sync_cursors (author);
  `,
};
