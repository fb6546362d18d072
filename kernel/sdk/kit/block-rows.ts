import type { Database } from '../database.ts';
import type { NodeId } from '../identifiers.ts';
import type { AddressBlock } from './block-shares.ts';

/** Of a block's rows, so many of the oldest are looked at for one that may go. */
const LOOKED_AT = 64;

/**
 * Shares by address block of a table with one row a node: the columns `block` and `site` remember where its word
 * came from, NULL for what counts for no block, and `node_id` names it. To be used inside a transaction.
 */
export class BlockRows {
  readonly #db: Database;
  readonly #table: string;
  readonly #age: string;
  readonly #mayGo: (nodeId: NodeId) => boolean;

  /** @param age the column that says when a node was last heard of, in ms; needs an index behind `block` and `site` */
  constructor(db: Database, table: string, age: string, mayGo: (nodeId: NodeId) => boolean) {
    this.#db = db;
    this.#table = table;
    this.#age = age;
    this.#mayGo = mayGo;
  }

  /** Whether each block has room for one more row, if need be in place of one not heard of since `beforeMs`. */
  makeRoom(blocks: readonly AddressBlock[], share: number, beforeMs: number): boolean {
    const columns = blocksColumns(blocks);
    return (['block', 'site'] as const).every((column, index) => {
      const name = columns[column];
      if (name === null || this.#count(column, name) < share * (blocks[index]?.shares ?? 1)) return true;
      return this.dropOldest(`${column} = ? AND ${this.#age} < ?`, [name, beforeMs]);
    });
  }

  /** Drops, among the rows that match, the one not heard of for longest that may go; false when there is none. */
  dropOldest(where: string, params: readonly (string | number)[]): boolean {
    const oldest = this.#db
      .prepare<{ node_id: NodeId }>(
        `SELECT node_id FROM ${this.#table} WHERE ${where} ORDER BY ${this.#age} LIMIT ${LOOKED_AT}`,
      )
      .all(...params)
      .find(({ node_id }) => this.#mayGo(node_id));
    if (oldest === undefined) return false;
    return this.#db.prepare(`DELETE FROM ${this.#table} WHERE node_id = ?`).run(oldest.node_id).changes > 0;
  }

  #count(column: 'block' | 'site', name: string): number {
    const sql = `SELECT count(*) AS n FROM ${this.#table} WHERE ${column} = ?`;
    return this.#db.prepare<{ n: number }>(sql).get(name)?.n ?? 0;
  }
}

/** The columns of a row whose word came from an address in these blocks. */
export function blocksColumns(blocks: readonly AddressBlock[]): {
  readonly block: string | null;
  readonly site: string | null;
} {
  return { block: blocks[0]?.name ?? null, site: blocks[1]?.name ?? null };
}
