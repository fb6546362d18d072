import type { Migration } from '../../../kernel/index.ts';

/** Once made the table that the plugin `peers` has adopted since. Databases remember the step. */
export const peersTable: Migration = { id: '0001-peers', kind: 'expand', sql: '' };
