import type { Migration } from '../../../kernel/index.ts';

/** Once made a table that the plugin `presence` has adopted since. Databases remember the step. */
export const companyTable: Migration = { id: '0004-company', kind: 'expand', sql: '' };
