import { defineResource } from './token.ts';

/** Files that the user puts into the data directory for a plugin, such as `anchors.json`. */
export interface DataFiles {
  /**
   * The text of the file of this plain name (`anchors.json`); undefined when there is none.
   *
   * @throws store/bad-data-file (no plain name, or over 1 MiB), store/read-only, or what the file system says.
   */
  read(name: string): string | undefined;
}

export const DATA_FILES = defineResource<DataFiles>('data-files');
