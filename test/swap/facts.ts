import type { SwapNode } from './traffic.ts';

/** What a plugin of a node remembers and must not forget in a swap, as sentences. */
export async function factsOf(node: SwapNode, plugin: string, stable: readonly SwapNode[]): Promise<Set<string>> {
  switch (plugin) {
    case 'peers':
    case 'routing':
    case 'mesh':
      return meshFacts(node, stable);
    case 'anchors': {
      const { referrals } = await node.run<{
        referrals: { node_id: string; use_count: number; disconnected_at?: number }[];
      }>('anchor.referrals');
      // Who has left may be taken off the list at any moment.
      const waiting = referrals.filter(({ disconnected_at }) => disconnected_at === undefined);
      return new Set(
        waiting.flatMap(({ node_id, use_count }) => [`${node_id} waits`, `${node_id} was given ${use_count} times`]),
      );
    }
    case 'social': {
      const { follows } = await node.run<{ follows: { node_id: string }[] }>('follow.list');
      const { followers } = await node.run<{ followers: { node_id: string }[] }>('follower.list');
      return new Set([
        ...follows.map(({ node_id }) => `follows ${node_id}`),
        ...followers.map(({ node_id }) => `is followed by ${node_id}`),
      ]);
    }
    default:
      return new Set();
  }
}

/** Slots, and who told what of the nodes that stay. */
async function meshFacts(node: SwapNode, stable: readonly SwapNode[]): Promise<Set<string>> {
  const facts = new Set<string>();
  const { peers } = await node.run<{ peers: { node_id: string; slot: string }[] }>('peer.list');
  const ids = new Set<string>(stable.map(({ nodeId }) => nodeId));
  for (const { node_id, slot } of peers) if (ids.has(node_id) && slot !== 'none') facts.add(`slot of ${node_id}`);
  for (const { nodeId } of stable) {
    const reach = await node.run<{ n2_reporters: string[] }>('peer.reach', { node_id: nodeId });
    for (const reporter of reach.n2_reporters) if (ids.has(reporter)) facts.add(`${reporter} reports ${nodeId}`);
  }
  return facts;
}
