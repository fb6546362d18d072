import type { Migration } from '../../../kernel/index.ts';

/** ANCH-15: the anchors that an author names in its profile, as JSON. */
export const profileAnchors: Migration = {
  id: '0003-profile-anchors',
  kind: 'expand',
  sql: "ALTER TABLE profiles ADD COLUMN anchors TEXT NOT NULL DEFAULT '[]';",
};
