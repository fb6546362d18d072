import type { Database, NodeId } from '../../kernel/index.ts';

/** Contacts named in our N1 share at most, the latest seen first. */
export const NAMED_CONTACTS_MAX = 500;
/** After a start old neighbours are waited for; later the usual number falls by one a minute. */
const RETURN_MS = 10 * 60_000;

/**
 * Which contacts our N1 share names besides connected neighbours, who are in it anyway (KNOW-01).
 *
 * A share says of no entry what it is there for (PRIV-01), so it must not be guessed either. A node that
 * has just started has no neighbours: its first share would be its contact list. So contacts are named in
 * proportion to how many of the usual neighbours are there, and never more than each neighbour sees of
 * others: contacts come and go along with them.
 */
export class NamedContacts {
  readonly #db: Database;
  #usual: number;
  #stored: number;

  constructor(db: Database) {
    this.#db = db;
    const row = db.prepare<{ neighbours: number }>('SELECT neighbours FROM social_company WHERE id = 1').get();
    this.#usual = this.#stored = row?.neighbours ?? 0;
  }

  /**
   * @param contacts the latest seen first
   * @param neighbours nodes in the share because they are connected
   */
  of(contacts: readonly NodeId[], neighbours: ReadonlySet<NodeId>): readonly NodeId[] {
    const others = neighbours.size - 1;
    if (others < 1) return [];
    this.#usual = Math.max(this.#usual, neighbours.size);
    const away = contacts.filter((nodeId) => !neighbours.has(nodeId));
    const share = Math.ceil((away.length * others) / (this.#usual - 1));
    return away.slice(0, Math.min(others, share, NAMED_CONTACTS_MAX));
  }

  /** Once a minute. On disk, because the start is when it is needed. */
  tick(neighbours: number, uptimeMs: number): void {
    if (neighbours >= this.#usual) this.#usual = neighbours;
    else if (uptimeMs > RETURN_MS) this.#usual--;
    if (this.#usual === this.#stored) return;
    this.#stored = this.#usual;
    this.#db.prepare('INSERT OR REPLACE INTO social_company (id, neighbours) VALUES (1, ?)').run(this.#usual);
  }
}
