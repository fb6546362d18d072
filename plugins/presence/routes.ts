import type { Database, NodeId } from '../../kernel/index.ts';
import type { AddressRecord } from './address-record.ts';
import type { Relation } from '../social/api.ts';
import type { ReachMethod, SocialRoute } from './api.ts';

/** Followers with a route: anybody can follow, so beyond it those longest without a connection have none. */
export const AUDIENCE_ROUTES_MAX = 1_000;
const PRUNED_AT_ONCE = 50;

interface Row {
  node_id: NodeId;
  nplus10: string;
  addresses: string;
  told_addresses: string;
  relation: Relation;
  status: 'online' | 'disconnected';
  last_connected_ms: number;
  reach_method: ReachMethod;
  preferred_tree: string;
  record: string | null;
  checkin_due_ms: number;
}

/** A row with what only presence itself needs of it. */
export interface Route extends SocialRoute {
  /** The newest record the contact signed. */
  readonly record: AddressRecord | undefined;
  /** Those of the record that may be dialled; nobody has proved them. */
  readonly toldAddresses: readonly string[];
  /** When its next check-in is due; 0 for at once. */
  readonly checkinDueMs: number;
}

/** Where the user's contacts were last reached (DB-10, SOC-01): a row for each follow, and for followers. */
export class Routes {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(nodeId: NodeId): Route | undefined {
    const row = this.#db.prepare<Row>('SELECT * FROM social_routes WHERE node_id = ?').get(nodeId);
    return row === undefined ? undefined : toRoute(row);
  }

  has(nodeId: NodeId): boolean {
    return this.#db.prepare('SELECT 1 FROM social_routes WHERE node_id = ?').get(nodeId) !== undefined;
  }

  /** Followees first, those connected last before the others. */
  all(): readonly Route[] {
    return this.#db
      .prepare<Row>(`SELECT * FROM social_routes ORDER BY relation = 'audience', last_connected_ms DESC, node_id`)
      .all()
      .map(toRoute);
  }

  /** Followees whose check-in is due, the longest due first. */
  due(nowMs: number, limit: number): readonly Route[] {
    return this.#db
      .prepare<Row>(
        `SELECT * FROM social_routes WHERE relation <> 'audience' AND checkin_due_ms <= ?
         ORDER BY checkin_due_ms, node_id LIMIT ?`,
      )
      .all(nowMs, limit)
      .map(toRoute);
  }

  /** Makes the route, or sets how its contact stands to the user. */
  relate(nodeId: NodeId, relation: Relation, addresses: readonly string[] = []): void {
    if (relation === 'audience' && !this.has(nodeId)) this.#makeRoom();
    this.#db
      .prepare(
        `INSERT INTO social_routes (node_id, relation, addresses) VALUES (?, ?, ?)
         ON CONFLICT (node_id) DO UPDATE SET relation = excluded.relation`,
      )
      .run(nodeId, relation, JSON.stringify(addresses));
  }

  remove(nodeId: NodeId): void {
    this.#db.prepare('DELETE FROM social_routes WHERE node_id = ?').run(nodeId);
  }

  /** Does nothing for a node that is no contact. Says whether it was not online and directly reached before. */
  online(nodeId: NodeId, addresses: readonly string[], nowMs: number): boolean {
    const known = this.get(nodeId);
    if (known === undefined) return false;
    this.#db
      .prepare(
        `UPDATE social_routes SET status = 'online', reach_method = 'direct', addresses = ?, last_connected_ms = ?
         WHERE node_id = ?`,
      )
      .run(JSON.stringify(addresses), nowMs, nodeId);
    return !known.online || known.reachMethod !== 'direct';
  }

  /** Somebody else is connected to it. Says whether that is news. */
  onlineElsewhere(nodeId: NodeId): boolean {
    const { changes } = this.#db
      .prepare(
        `UPDATE social_routes SET status = 'online', reach_method = 'indirect'
         WHERE node_id = ? AND status = 'disconnected'`,
      )
      .run(nodeId);
    return changes > 0;
  }

  /** Its last connection to us ended. Says whether that is news. */
  offline(nodeId: NodeId, nowMs: number): boolean {
    const { changes } = this.#db
      .prepare(
        `UPDATE social_routes SET status = 'disconnected', last_connected_ms = ?
         WHERE node_id = ? AND status = 'online' AND reach_method = 'direct'`,
      )
      .run(nowMs, nodeId);
    return changes > 0;
  }

  /** Who told that it is online tells that it left. Says whether that is news. */
  offlineElsewhere(nodeId: NodeId): boolean {
    const { changes } = this.#db
      .prepare(
        `UPDATE social_routes SET status = 'disconnected'
         WHERE node_id = ? AND status = 'online' AND reach_method = 'indirect'`,
      )
      .run(nodeId);
    return changes > 0;
  }

  /** After a start nobody is online but those named. */
  onlyOnline(nodeIds: ReadonlySet<NodeId>): void {
    const online = this.#db.prepare<Row>(`SELECT * FROM social_routes WHERE status = 'online'`).all();
    for (const { node_id } of online) {
      if (nodeIds.has(node_id)) continue;
      this.#db.prepare(`UPDATE social_routes SET status = 'disconnected' WHERE node_id = ?`).run(node_id);
    }
  }

  /** Takes what the contact signed; `addresses` are those of the record that may be dialled. */
  setRecord(nodeId: NodeId, record: AddressRecord, addresses: readonly string[]): void {
    this.#db
      .prepare('UPDATE social_routes SET record = ?, nplus10 = ?, told_addresses = ? WHERE node_id = ?')
      .run(JSON.stringify(record), JSON.stringify(record.nplus10), JSON.stringify(addresses), nodeId);
  }

  setPreferredTree(nodeId: NodeId, tree: readonly NodeId[]): void {
    this.#db.prepare('UPDATE social_routes SET preferred_tree = ? WHERE node_id = ?').run(JSON.stringify(tree), nodeId);
  }

  setCheckinDue(nodeId: NodeId, dueMs: number): void {
    this.#db.prepare('UPDATE social_routes SET checkin_due_ms = ? WHERE node_id = ?').run(Math.round(dueMs), nodeId);
  }

  count(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM social_routes').get()?.n ?? 0;
  }

  #makeRoom(): void {
    const audience = this.#db
      .prepare<{ n: number }>(`SELECT count(*) AS n FROM social_routes WHERE relation = 'audience'`)
      .get();
    if ((audience?.n ?? 0) < AUDIENCE_ROUTES_MAX) return;
    this.#db
      .prepare(
        `DELETE FROM social_routes WHERE node_id IN (SELECT node_id FROM social_routes
           WHERE relation = 'audience' ORDER BY last_connected_ms LIMIT ${PRUNED_AT_ONCE})`,
      )
      .run();
  }
}

function toRoute(row: Row): Route {
  const seen = JSON.parse(row.addresses) as string[];
  const told = JSON.parse(row.told_addresses) as string[];
  return {
    nodeId: row.node_id,
    relation: row.relation,
    online: row.status === 'online',
    reachMethod: row.reach_method,
    nplus10: JSON.parse(row.nplus10) as NodeId[],
    preferredTree: JSON.parse(row.preferred_tree) as NodeId[],
    addresses: [...new Set([...seen, ...told])],
    toldAddresses: told,
    lastConnectedMs: row.last_connected_ms,
    record: row.record === null ? undefined : (JSON.parse(row.record) as AddressRecord),
    checkinDueMs: row.checkin_due_ms,
  };
}
