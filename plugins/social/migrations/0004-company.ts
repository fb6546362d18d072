import type { Migration } from '../../../kernel/index.ts';

/** How many neighbours this node had of late: what contacts are named in proportion to (PRIV-01). */
export const companyTable: Migration = {
  id: '0004-company',
  kind: 'expand',
  sql: `
    CREATE TABLE social_company (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      neighbours INTEGER NOT NULL
    ) STRICT;
  `,
};
