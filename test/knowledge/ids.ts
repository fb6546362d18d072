import { createHash } from 'node:crypto';
import type { NodeId } from '../../kernel/index.ts';

/** Ids that look like keys, the same ones for the same seed. */
export function nodeIds(seed: string, count: number): NodeId[] {
  return Array.from({ length: count }, (_, i) => createHash('sha256').update(`${seed}/${i}`).digest('hex') as NodeId);
}
