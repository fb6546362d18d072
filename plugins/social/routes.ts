import type { Database, NodeId } from '../../kernel/index.ts';

interface Row {
  node_id: string;
  addresses: string;
  status: string;
  last_connected_ms: number;
}

export interface Route {
  readonly addresses: readonly string[];
  readonly online: boolean;
  /** 0 when it was never connected. */
  readonly lastConnectedMs: number;
}

/** Where the user's contacts were last reached (DB-10, SOC-01): one row for each follow. */
export class Routes {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(nodeId: NodeId): Route | undefined {
    const row = this.#db.prepare<Row>('SELECT * FROM social_routes WHERE node_id = ?').get(nodeId);
    if (row === undefined) return undefined;
    return {
      addresses: JSON.parse(row.addresses) as string[],
      online: row.status === 'online',
      lastConnectedMs: row.last_connected_ms,
    };
  }

  add(nodeId: NodeId, mutual: boolean, addresses: readonly string[]): void {
    this.#db
      .prepare(
        `INSERT INTO social_routes (node_id, relation, addresses) VALUES (?, ?, ?)
         ON CONFLICT (node_id) DO UPDATE SET relation = excluded.relation`,
      )
      .run(nodeId, mutual ? 'mutual' : 'follow', JSON.stringify(addresses));
  }

  remove(nodeId: NodeId): void {
    this.#db.prepare('DELETE FROM social_routes WHERE node_id = ?').run(nodeId);
  }

  setMutual(nodeId: NodeId, mutual: boolean): void {
    this.#db
      .prepare('UPDATE social_routes SET relation = ? WHERE node_id = ?')
      .run(mutual ? 'mutual' : 'follow', nodeId);
  }

  /** Does nothing for a node that is no contact. */
  online(nodeId: NodeId, addresses: readonly string[], nowMs: number): void {
    this.#db
      .prepare(
        `UPDATE social_routes SET status = 'online', reach_method = 'direct', addresses = ?, last_connected_ms = ?
         WHERE node_id = ?`,
      )
      .run(JSON.stringify(addresses), nowMs, nodeId);
  }

  offline(nodeId: NodeId, nowMs: number): void {
    this.#db
      .prepare(
        `UPDATE social_routes SET status = 'disconnected', last_connected_ms = ? WHERE node_id = ? AND status = 'online'`,
      )
      .run(nowMs, nodeId);
  }

  /** After a start nobody is online but those named. */
  onlyOnline(nodeIds: ReadonlySet<NodeId>): void {
    const online = this.#db.prepare<Row>(`SELECT * FROM social_routes WHERE status = 'online'`).all();
    for (const { node_id } of online) {
      if (nodeIds.has(node_id as NodeId)) continue;
      this.#db.prepare(`UPDATE social_routes SET status = 'disconnected' WHERE node_id = ?`).run(node_id);
    }
  }
}
