import type { Database, Migration } from '../sdk/database.ts';

/** The node's one SQLite file. */
export interface Store {
  /** The database as one owner sees it. Statements are cached per owner. */
  database(owner: string): Database;
  /**
   * From now on this owner, a third-party plugin, reads and writes its own tables alone, and makes only such as are
   * named after it (`my_plugin_…`); what it has already stays its own.
   */
  confine(owner: string): void;
  /**
   * Applies the owner's missing migrations of the given kinds in one transaction; returns the ids applied.
   * @throws store/newer-schema when the file records steps this code does not know,
   *   store/migration-failed with the step's id; nothing is changed then.
   */
  migrate(owner: string, migrations: readonly Migration[], kinds: readonly Migration['kind'][]): readonly string[];
  /**
   * The code that brought these `expand` steps was refused or rolled back: code that does not know them
   * may use the file all the same, since they only added. They are not applied a second time.
   */
  takeBack(owner: string, ids: readonly string[]): void;
  /** Bytes per table made by the owner's migrations; `partial` means at least so many (large tables). */
  tableSizes(owner: string): readonly { name: string; bytes: number; partial?: true }[];
  /** `[]` when SQLite's integrity_check says ok. */
  integrityCheck(): readonly string[];
  /**
   * Lets what is being synced arrive, checkpoints the WAL so that none is left (OPS-04), and closes. Done when it
   * returns if nothing was being brought to the disk, else when it resolves.
   */
  close(): Promise<void>;
}
