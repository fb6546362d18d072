import type { Migration } from '../../../kernel/index.ts';

/** Self Last Encounter of each peer that is pulled from (SYNC-05). */
export const encountersMigration: Migration = {
  id: '0002-encounters',
  kind: 'expand',
  sql: `
    CREATE TABLE encounters (
      peer BLOB PRIMARY KEY,
      encounter_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
  `,
};
