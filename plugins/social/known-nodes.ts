import { idsWith } from '../../kernel/index.ts';
import type { Database, NodeId } from '../../kernel/index.ts';

/** Whom the user follows, blocked, or is followed by, and whose ids begin with `prefix`. */
export function contactsStartingWith(db: Database, prefix: string, max: number): readonly NodeId[] {
  const { from, to } = idsWith(prefix);
  return db
    .prepare<{ node_id: NodeId }>(
      `SELECT node_id FROM follows WHERE node_id BETWEEN ?1 AND ?2
       UNION SELECT node_id FROM followers WHERE node_id BETWEEN ?1 AND ?2
       UNION SELECT node_id FROM followers_blocked WHERE node_id BETWEEN ?1 AND ?2 LIMIT ?3`,
    )
    .all(from, to, max)
    .map((row) => row.node_id);
}
