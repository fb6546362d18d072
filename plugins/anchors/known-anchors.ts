import type { Database, Network, NodeId } from '../../kernel/index.ts';
import { countedAs, isPublic } from './address-rules.ts';
import type { KnownAnchor } from './api.ts';

/** Rows of `known_anchors`; beyond it the longest unseen goes. */
export const ANCHORS_MAX = 256;
/** Rows of one public address block, a /48 four times as many: a machine that invents identities displaces nobody else's. */
export const ANCHORS_PER_BLOCK_MAX = 3;

interface Row {
  node_id: NodeId;
  addresses: string;
  last_seen: number;
}

/** The table `known_anchors`: nothing is scored, the one seen last is tried first (ANCH-03, -04). */
export class KnownAnchors {
  readonly #db: Database;
  readonly #network: Pick<Network, 'mayDial' | 'blocksOf'>;

  constructor(db: Database, network: Pick<Network, 'mayDial' | 'blocksOf'>) {
    this.#db = db;
    this.#network = network;
  }

  /** The latest seen first. */
  all(): readonly KnownAnchor[] {
    return this.#db
      .prepare<Row>('SELECT node_id, addresses, last_seen FROM known_anchors ORDER BY last_seen DESC, node_id')
      .all()
      .map(toAnchor);
  }

  get(nodeId: NodeId): KnownAnchor | undefined {
    const row = this.#db
      .prepare<Row>('SELECT node_id, addresses, last_seen FROM known_anchors WHERE node_id = ?')
      .get(nodeId);
    return row === undefined ? undefined : toAnchor(row);
  }

  /** Not seen since `beforeMs`, the longest unseen first. */
  staleSince(beforeMs: number, limit: number): readonly KnownAnchor[] {
    return this.#db
      .prepare<Row>(
        'SELECT node_id, addresses, last_seen FROM known_anchors WHERE last_seen < ? ORDER BY last_seen LIMIT ?',
      )
      .all(beforeMs, limit)
      .map(toAnchor);
  }

  /** An anchor is connected now, or was until now. */
  seen(nodeId: NodeId, addresses: readonly string[], nowMs: number): void {
    if (addresses.length === 0) return;
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO known_anchors (node_id, addresses, last_seen) VALUES (?, ?, ?)
             ON CONFLICT (node_id) DO UPDATE SET addresses = excluded.addresses, last_seen = excluded.last_seen`,
        )
        .run(nodeId, JSON.stringify(addresses), nowMs);
      this.#trim(addresses);
    });
  }

  touch(nodeId: NodeId, nowMs: number): void {
    this.#db.prepare('UPDATE known_anchors SET last_seen = ? WHERE node_id = ?').run(nowMs, nodeId);
  }

  remove(nodeId: NodeId): void {
    this.#db.prepare('DELETE FROM known_anchors WHERE node_id = ?').run(nodeId);
  }

  /** Sharing a private or loopback host is no sign of one machine with many names. */
  #trim(addresses: readonly string[]): void {
    const anchors = this.all();
    const blocks = addresses
      .filter((address) => isPublic(this.#network, address))
      .flatMap((address) => countedAs(this.#network, address));
    const isIn = (anchor: KnownAnchor, name: string): boolean =>
      anchor.addresses.some((address) => countedAs(this.#network, address).some((block) => block.name === name));
    const over = blocks.flatMap(({ name, shares }) =>
      anchors.filter((anchor) => isIn(anchor, name)).slice(ANCHORS_PER_BLOCK_MAX * shares),
    );
    for (const { nodeId } of [...over, ...anchors.slice(ANCHORS_MAX)]) this.remove(nodeId);
  }
}

function toAnchor(row: Row): KnownAnchor {
  return {
    nodeId: row.node_id,
    addresses: JSON.parse(row.addresses) as string[],
    lastSeenMs: row.last_seen,
  };
}
