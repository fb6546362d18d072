import { BlockRows, blocksColumns, idsWith } from '../../kernel/index.ts';
import type { AddressBlock, Database, NodeId } from '../../kernel/index.ts';
import { isHostPort } from './connect-string.ts';

/** Rows of `peers`; beyond it the longest unseen that nobody asked to remember goes. */
export const PEERS_MAX = 10_000;
/** Addresses kept of one node, best first; a hostile peer can make us dial no more than these. */
export const ADDRESSES_KEPT = 8;
/** Nodes redialled at most; a further one is remembered but not redialled. */
export const WANTED_MAX = 2_000;

const NAT_TYPES = new Set(['public', 'easy', 'hard', 'unknown']);

export interface KnownPeer {
  readonly nodeId: NodeId;
  readonly addresses: readonly string[];
  readonly natType: string;
  /** 0 when it was never a peer. */
  readonly lastSeenMs: number;
  readonly connectedByUser: boolean;
  readonly keptReachable: boolean;
  /** Where it was connected last: at that address it is, or was; the others are what somebody says. */
  readonly provedAddress: string;
  /** The user disconnected it: no redial until the user connects or follows again. */
  readonly heldOff: boolean;
}

/** A finished handshake. */
export interface Seen {
  readonly nodeId: NodeId;
  readonly seenAt: string | undefined;
  readonly told: readonly string[];
  readonly natType: string;
  /** Of the address it is `seenAt`. */
  readonly blocks: readonly AddressBlock[];
  /** Rows that a block has. */
  readonly share: number;
  readonly nowMs: number;
}

interface Row {
  node_id: NodeId;
  addresses: string;
  nat_type: string;
  last_seen_ms: number;
  connected_by_user: number;
  kept_reachable: number;
  held_off: number;
  proved_address: string;
}

/** Values of `online`; 0 is away. */
const ONLINE_AS = { peer: 1, slot: 2 } as const;
const WANTED = '(connected_by_user = 1 OR kept_reachable = 1) AND held_off = 0';

/** The table `peers` (DB-01): where nodes were last reached, and which of them to redial. */
export class PeerStore {
  readonly #db: Database;
  readonly #rows: BlockRows;

  constructor(db: Database) {
    this.#db = db;
    this.#rows = new BlockRows(
      db,
      'peers',
      'last_seen_ms',
      (nodeId) => !this.isWanted(nodeId) && !this.#isOnline(nodeId),
    );
  }

  get(nodeId: NodeId): KnownPeer | undefined {
    const row = this.#db.prepare<Row>('SELECT * FROM peers WHERE node_id = ?').get(nodeId);
    return row === undefined ? undefined : toKnownPeer(row);
  }

  wanted(): readonly NodeId[] {
    return this.#db
      .prepare<Row>(`SELECT node_id FROM peers WHERE ${WANTED} ORDER BY last_seen_ms DESC LIMIT ${WANTED_MAX}`)
      .all()
      .map((row) => row.node_id);
  }

  isWanted(nodeId: NodeId): boolean {
    return this.#db.prepare(`SELECT 1 FROM peers WHERE node_id = ? AND ${WANTED}`).get(nodeId) !== undefined;
  }

  startingWith(prefix: string, max: number): readonly NodeId[] {
    const { from, to } = idsWith(prefix);
    return this.#db
      .prepare<Row>('SELECT node_id FROM peers WHERE node_id BETWEEN ? AND ? LIMIT ?')
      .all(from, to, max)
      .map((row) => row.node_id);
  }

  #isOnline(nodeId: NodeId): boolean {
    return this.#db.prepare('SELECT 1 FROM peers WHERE node_id = ? AND online > 0').get(nodeId) !== undefined;
  }

  count(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM peers').get()?.n ?? 0;
  }

  /**
   * Records a finished handshake. The address it is `seenAt` and those it told come before what was known;
   * bad ones are left out. One that nobody asked to remember counts for the blocks of the address it is `seenAt`,
   * which have `share` rows each: it takes the place of the one away for longest there, or is not remembered.
   */
  seen({ nodeId, seenAt, told, natType, blocks, share, nowMs }: Seen): void {
    const addresses = seenAt === undefined ? told : [seenAt, ...told];
    this.#db.transaction(() => {
      const known = this.get(nodeId);
      const counts = known === undefined || !(known.connectedByUser || known.keptReachable);
      if (known === undefined && !this.#rows.makeRoom(blocks, share, nowMs)) return;
      this.#ensure(nodeId, addresses);
      const { block, site } = blocksColumns(counts ? blocks : []);
      this.#db
        .prepare(
          `UPDATE peers SET nat_type = ?, last_seen_ms = ?, online = max(online, ${ONLINE_AS.peer}),
             proved_address = coalesce(?, proved_address), block = ?, site = ? WHERE node_id = ?`,
        )
        .run(NAT_TYPES.has(natType) ? natType : 'unknown', nowMs, seenAt ?? null, block, site, nodeId);
    });
  }

  /** The user connected to it. */
  connected(nodeId: NodeId, addresses: readonly string[]): void {
    this.#db.transaction(() => {
      this.#ensure(nodeId, addresses);
      this.#db
        .prepare('UPDATE peers SET connected_by_user = 1, held_off = 0, block = NULL, site = NULL WHERE node_id = ?')
        .run(nodeId);
    });
  }

  /** Repeated at every start for every node kept, so that what is known already costs no write. */
  keepReachable(nodeId: NodeId, addresses: readonly string[]): void {
    const known = this.get(nodeId);
    if (known?.keptReachable === true && addresses.every((address) => known.addresses.includes(address))) return;
    this.#db.transaction(() => {
      this.#ensure(nodeId, addresses);
      this.#db.prepare('UPDATE peers SET kept_reachable = 1, block = NULL, site = NULL WHERE node_id = ?').run(nodeId);
    });
  }

  forget(nodeId: NodeId): void {
    this.#db.prepare('UPDATE peers SET kept_reachable = 0 WHERE node_id = ?').run(nodeId);
  }

  /** The user disconnected it. */
  holdOff(nodeId: NodeId): void {
    this.#db.prepare('UPDATE peers SET connected_by_user = 0, held_off = 1 WHERE node_id = ?').run(nodeId);
  }

  /** The user asks for it again. */
  letBack(nodeId: NodeId): void {
    this.#db.prepare('UPDATE peers SET held_off = 0 WHERE node_id = ? AND held_off = 1').run(nodeId);
  }

  /** It has got a mesh slot, or lost it and is still a peer. Not said of those who are here when the node stops. */
  slotChanged(nodeId: NodeId, holdsSlot: boolean): void {
    const presence = holdsSlot ? ONLINE_AS.slot : ONLINE_AS.peer;
    this.#db.prepare('UPDATE peers SET online = ? WHERE node_id = ? AND online > 0').run(presence, nodeId);
  }

  /** It is no peer any more. Not said of those who are here when the node stops. */
  gone(nodeId: NodeId, nowMs: number): void {
    this.#db.prepare('UPDATE peers SET online = 0, last_seen_ms = ? WHERE node_id = ?').run(nowMs, nodeId);
  }

  /**
   * Who was a peer when the node stopped or was killed: those with a slot first, so that a crowd which
   * came for none does not take their place, then the latest. Asked once at a start.
   */
  takeLeftOnline(limit: number): readonly NodeId[] {
    return this.#db.transaction(() => {
      const rows = this.#db
        .prepare<Row>(
          `SELECT node_id FROM peers WHERE online > 0 AND held_off = 0
             ORDER BY online DESC, last_seen_ms DESC LIMIT ?`,
        )
        .all(limit);
      this.#db.prepare('UPDATE peers SET online = 0 WHERE online > 0').run();
      return rows.map((row) => row.node_id);
    });
  }

  #ensure(nodeId: NodeId, addresses: readonly string[]): void {
    const known = this.get(nodeId);
    const merged = JSON.stringify(mergeAddresses(addresses, known?.addresses ?? []));
    if (known !== undefined) {
      this.#db.prepare('UPDATE peers SET addresses = ? WHERE node_id = ?').run(merged, nodeId);
      return;
    }
    if (this.count() >= PEERS_MAX) {
      this.#db
        .prepare(
          `DELETE FROM peers WHERE node_id IN (SELECT node_id FROM peers
             WHERE connected_by_user = 0 AND kept_reachable = 0 ORDER BY last_seen_ms LIMIT 100)`,
        )
        .run();
    }
    this.#db.prepare('INSERT INTO peers (node_id, addresses) VALUES (?, ?)').run(nodeId, merged);
  }
}

/** New addresses first, each once, well-formed ones only. */
export function mergeAddresses(fresh: readonly string[], known: readonly string[]): readonly string[] {
  return [...new Set([...fresh, ...known])].filter(isHostPort).slice(0, ADDRESSES_KEPT);
}

function toKnownPeer(row: Row): KnownPeer {
  return {
    nodeId: row.node_id,
    addresses: JSON.parse(row.addresses) as string[],
    natType: row.nat_type,
    lastSeenMs: row.last_seen_ms,
    connectedByUser: row.connected_by_user === 1,
    keptReachable: row.kept_reachable === 1,
    heldOff: row.held_off === 1,
    provedAddress: row.proved_address,
  };
}
