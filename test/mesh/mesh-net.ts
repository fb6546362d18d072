import type { ExecutionContext } from 'ava';
import { TestNetwork, type TestNetworkOptions, type TestNode } from '../../kernel/testing/index.ts';

/** The plugins that make connections a mesh. */
export const CORE = ['peers', 'routing', 'lookup', 'mesh'] as const;

/** A network of nodes with mesh and social. */
export function meshNet(t: ExecutionContext, options: TestNetworkOptions = {}): TestNetwork {
  return new TestNetwork({ t, builtin: [...CORE, 'social', 'presence'], ...options });
}

export interface PeerView {
  node_id: string;
  device_id: string;
  kind: string;
  remote_addr: string;
  direction: string;
  features: string[];
  last_activity_ms: number;
  connected_at_ms: number;
  display_name?: string;
}

export async function peersOf(node: TestNode): Promise<PeerView[]> {
  return (await node.run<{ peers: PeerView[] }>('peer.list')).peers;
}

export async function peerIds(node: TestNode): Promise<string[]> {
  return (await peersOf(node)).map(({ node_id }) => node_id);
}

/** What the plugins that make the mesh have counted, together. */
export function meshCounters(node: TestNode): Readonly<Record<string, number>> {
  return Object.assign({}, ...CORE.map((plugin) => node.counters(plugin)));
}

/** Reloads the plugins that make the mesh, one after the other; the first that fails is the outcome. */
export async function reloadMesh(node: TestNode): Promise<{ outcome: string; reason: string | undefined }> {
  for (const plugin of CORE) {
    const outcome = await node.reload(plugin);
    if (outcome.outcome !== 'committed') return outcome;
  }
  return { outcome: 'committed', reason: undefined };
}
