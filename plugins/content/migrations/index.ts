import type { Migration } from '../../../kernel/index.ts';
import { postsMigration } from './0001-posts.ts';
import { encountersMigration } from './0002-encounters.ts';
import { proofsMigration } from './0003-proofs.ts';
import { postsByTimeMigration } from './0004-posts-by-time.ts';
import { leanPostsMigration } from './0005-lean-posts.ts';
import { postBudgetMigration } from './0006-post-budget.ts';

export const contentMigrations: readonly Migration[] = [
  postsMigration,
  encountersMigration,
  proofsMigration,
  postsByTimeMigration,
  leanPostsMigration,
  postBudgetMigration,
];
