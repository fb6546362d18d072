import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import { createLog } from '../../kernel/observe/index.ts';
import type { Migration } from '../../kernel/sdk/database.ts';
import { openStore, type StoreOptions } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

export const clock = systemClock();
export const log = createLog({ level: 'debug', clock, to: 'none' });

export const NOTES: readonly Migration[] = [
  {
    id: '0001-notes',
    kind: 'expand',
    sql: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE, extra BLOB) STRICT',
  },
];

export function openTestStore(dir: string, options: Partial<StoreOptions> = {}) {
  return openStore({ path: join(dir, 'itsgoin.db'), log: log.area('kernel/store'), clock, ...options });
}

/** A store with the table `notes`, closed when the test ends. */
export function openNotes(
  t: ExecutionContext,
  { dir = temporaryDirectory(t), ...options }: Partial<StoreOptions> & { readonly dir?: string } = {},
) {
  const store = openTestStore(dir, options);
  t.teardown(() => store.close());
  store.migrate('notes', NOTES, ['expand', 'contract']);
  const database = store.database('notes');
  return {
    store,
    database,
    path: join(dir, 'itsgoin.db'),
    /** Makes SQLite find the disk full beyond so many pages of 4 KiB. */
    limitPages(pages: number): void {
      const sql = `PRAGMA max_page_count = ${pages}`;
      store.migrate(`limit-${pages}`, [{ id: '0001-limit', kind: 'expand', sql }], ['expand']);
    },
  };
}
