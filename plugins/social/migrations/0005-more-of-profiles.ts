import type { Migration } from '../../../kernel/index.ts';

/**
 * What the columns do not hold of a signed profile, as JSON: fields that a later version added, and the
 * certificate of the device that signed it. NULL for nothing, which is the rule.
 */
export const moreOfProfiles: Migration = {
  id: '0005-more-of-profiles',
  kind: 'expand',
  sql: 'ALTER TABLE profiles ADD COLUMN more TEXT;',
};
