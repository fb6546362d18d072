import type { Migration } from '../../../kernel/index.ts';

/** Once made tables that the plugin `presence` has adopted since. Databases remember the step. */
export const routingTables: Migration = { id: '0002-routing', kind: 'expand', sql: '' };
