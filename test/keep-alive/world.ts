import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import type { FakeNode } from '../mesh/fake-net.ts';
import { know, QuietNet } from '../social/quiet-net.ts';

export const KEEP_ALIVE_FOLDER = fileURLToPath(new URL('../../plugins/keep-alive', import.meta.url));

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

export const explain = (node: FakeNode): Promise<Explained> => node.run<Explained>('keepalive.explain');

/** Nodes with keep-alive over real social routing, and a mesh that knows what the test says. */
export class KeepWorld {
  readonly net: QuietNet;

  constructor(t: ExecutionContext) {
    this.net = new QuietNet(t);
  }

  async nodes(...names: string[]): Promise<FakeNode[]> {
    const nodes: FakeNode[] = [];
    for (const name of names) nodes.push(await this.net.node(name, [KEEP_ALIVE_FOLDER]));
    return nodes;
  }

  /** Sets what `node` knows of others: their addresses, and which peers report them. */
  async sees(node: FakeNode, other: { id: NodeId; address?: string }, n2Reporters: NodeId[] = []): Promise<void> {
    await know(node, {
      reach: { [other.id]: { layer: n2Reporters.length > 0 ? 'n2' : 'none', n2Reporters, n3Reporters: [] } },
      ...(other.address === undefined ? {} : { addresses: { [other.id]: [other.address] } }),
    });
  }

  /** The next checks of every node, one a minute. */
  checks(count: number): Promise<void> {
    // The interval varies by a tenth.
    return this.net.advance(count * 60_000 + 7_000);
  }
}

/** Kinds of the live connections of one node to another. */
export const kinds = (node: FakeNode, other: FakeNode): string[] =>
  node.node.network.connectionsOf(other.id).map(({ kind }) => kind);
