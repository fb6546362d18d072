import type { NodeId } from '../../kernel/index.ts';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { know } from '../presence/quiet-net.ts';

export interface Explained {
  contacts: {
    node_id: string;
    reason: string;
    verdict: string;
    absent_checks: number;
    host?: string;
    tries: { host: string; why: string; result: string }[];
  }[];
  sessions: number;
  sessions_max: number;
}

export const explain = (node: TestNode): Promise<Explained> => node.run<Explained>('keepalive.explain');

/** Sets what `node` knows of others: their addresses, and which peers report them. */
export async function sees(
  node: TestNode,
  other: { id: NodeId; address?: string },
  n2Reporters: NodeId[] = [],
): Promise<void> {
  await know(node, {
    reach: { [other.id]: { layer: n2Reporters.length > 0 ? 'n2' : 'none', n2Reporters, n3Reporters: [] } },
    ...(other.address === undefined ? {} : { addresses: { [other.id]: [other.address] } }),
  });
}

/** The next checks of every node, one a minute. */
export function checks(net: TestNetwork, count: number): Promise<void> {
  // The interval varies by a tenth.
  return net.advance(count * 60_000 + 7_000);
}

/** Kinds of the live connections of one node to another. */
export const kinds = (node: TestNode, other: TestNode): string[] => node.connections(other).map(({ kind }) => kind);
