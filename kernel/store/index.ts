export { writeFileAtomic } from './atomic-file.ts';
export { BlobFolder, type BlobFolderOptions } from './blob-folder.ts';
export {
  type DataDirectory,
  dataPaths,
  prepareDataDirectory,
  resetData,
} from './data-directory.ts';
export { dataFiles } from './data-files.ts';
export { type DataLock, lockDataDirectory } from './data-lock.ts';
export { storeErrors } from './errors.ts';
export { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
export { KERNEL_SCHEMA } from './migrations.ts';
export { openStore, type StoreOptions } from './open-store.ts';
export type { Store } from './store.ts';
export type { TableSize } from './table-sizes.ts';
