import type { Migration } from '../../../kernel/index.ts';

/**
 * What the columns do not hold of a signed record, as JSON: the certificate of the device that signed
 * it, and of a delete record the fields a later version added. NULL for nothing, which is the rule.
 */
export const proofsMigration: Migration = {
  id: '0003-proofs',
  kind: 'expand',
  sql: `
    ALTER TABLE posts ADD COLUMN more TEXT;
    ALTER TABLE deleted_posts ADD COLUMN more TEXT;
  `,
};
