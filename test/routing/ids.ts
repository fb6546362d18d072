import { createHash } from 'node:crypto';
import type { DeviceId, NodeId, PeerId } from '../../kernel/index.ts';

/** Ids that look like keys, the same ones for the same seed. */
export function nodeIds(seed: string, count: number): NodeId[] {
  return Array.from({ length: count }, (_, i) => createHash('sha256').update(`${seed}/${i}`).digest('hex') as NodeId);
}

/** The only device of a node. */
export function peerOf(nodeId: NodeId): PeerId {
  return { nodeId, deviceId: nodeId as string as DeviceId };
}
