import type { ExecutionContext } from 'ava';
import { type OneNode, TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import { CORE, meshCounters } from '../mesh/mesh-net.ts';

/** A home router with a port mapping, for single tests. */
export const ROUTER = new URL('./router', import.meta.url);
/** Mesh that dials nobody by itself, so that a test says who is connected. */
export const NO_GROWTH = { mesh: { growth: false } } as const;

/** A network of nodes with mesh and anchors, at public addresses in the order in which they start. */
export function anchorNet(t: ExecutionContext): TestNetwork {
  return new TestNetwork({ t, builtin: [...CORE, 'anchors'], hostOf: (number) => `5.0.0.${number + 1}` });
}

interface AnchorNode extends Omit<OneNode, 'name' | 'files'> {
  /** Connect strings for `anchors.json`; no file without them. */
  readonly anchors?: readonly string[];
}

export function anchorNode(net: TestNetwork, name: string, { anchors, ...setup }: AnchorNode = {}): Promise<TestNode> {
  return net.add({ name, ...setup, ...(anchors && { files: { 'anchors.json': JSON.stringify(anchors) } }) });
}

/** Whom a node dialled, by host, in order. */
export function dialledBy(net: TestNetwork, node: TestNode): string[] {
  return net.dials.filter(({ from }) => from === node.id).map(({ to }) => to);
}

export async function peerIds(node: TestNode): Promise<string[]> {
  return (await node.run<{ peers: { node_id: string }[] }>('peer.list')).peers.map(({ node_id }) => node_id);
}

export interface Explained {
  is_anchor: boolean;
  checklist: Record<string, boolean>;
  failures_in_a_row: number;
  probes: { outcome: string; reason: string; witness: string; via: string; cause: string; at_ms: number }[];
  rejoins: { cause: string; at_ms: number; steps: { what: string; node_id: string; result: string }[] }[];
  sticky: string[];
}

export function explain(node: TestNode): Promise<Explained> {
  return node.run<Explained>('anchor.explain');
}

/** Mesh slots that the node has given so far, also to connections that are gone. */
export function slotsGiven(node: TestNode): number {
  const counters = meshCounters(node);
  return (counters['slots.granted'] ?? 0) + (counters['slots.agreed'] ?? 0);
}

export interface ListedAnchor {
  node_id: string;
  addresses: string[];
  source: string;
  last_seen_ms?: number;
}

export async function listAnchors(node: TestNode): Promise<ListedAnchor[]> {
  return (await node.run<{ anchors: ListedAnchor[] }>('anchor.list')).anchors;
}
