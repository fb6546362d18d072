import type { Network, NodeId, ContextBase, Ref } from '../../kernel/index.ts';
import type { AnchorsService } from '../anchors/api.ts';
import type { Reach, RoutingService } from '../routing/api.ts';
import type { Need } from './api.ts';

/** How a node can be found at this moment, in words; `undefined` when it cannot. */
export type Way = string | undefined;

/** What keep-alive reads of routing and anchors, at one moment. */
export interface ReachabilitySnapshot {
  /**
   * KEEP-01: a way to any node of its N+10 within three hops, or an anchor among them that can be
   * dialled. What only exists through `besides` does not count: that is the session in question.
   */
  wayTo(need: Need, besides?: NodeId): Way;
  /** 0 for a peer, up to 3 within three hops, 4 beyond. */
  hops(nodeId: NodeId): number;
  /** Peers that have it within their N2: who else may hold a session for it. */
  reporters(nodeId: NodeId): readonly NodeId[];
}

export interface SnapshotDeps {
  readonly ctx: ContextBase;
  readonly network: Network;
  readonly routing: Ref<RoutingService>;
  anchors(): Ref<AnchorsService>;
}

/** `undefined` while routing is off. */
export async function takeSnapshot(deps: SnapshotDeps): Promise<ReachabilitySnapshot | undefined> {
  const { ctx, network } = deps;
  const anchors = deps.anchors();
  const known = anchors.available ? await anchors.use((service) => service.known(), { signal: ctx.signal }) : [];
  const anchorIds = new Set(known.map(({ nodeId }) => nodeId));
  const { routing } = deps;
  if (!routing.available) return undefined;
  return routing.use(
    (service) => {
      const reaches = new Map<NodeId, Pick<Reach, 'n2Reporters' | 'n3Reporters'>>();
      // Every peer tells us as its N2 what we told it as our N1, our contacts among them.
      const echoed = new Set(service.n1());
      const reach = (nodeId: NodeId): Pick<Reach, 'n2Reporters' | 'n3Reporters'> => {
        const { n2Reporters, n3Reporters } = reaches.get(nodeId) ?? service.reach(nodeId);
        const found = { n2Reporters, n3Reporters: echoed.has(nodeId) ? [] : n3Reporters };
        reaches.set(nodeId, found);
        return found;
      };
      /** An interactive session ends when it is idle; it is no way that lasts. */
      const lasting = (nodeId: NodeId): boolean =>
        network.connectionsOf(nodeId).some(({ kind }) => kind === 'mesh' || kind === 'keep-alive' || kind === 'lan');
      return {
        wayTo({ nodeId, nplus10 }, besides) {
          const ids = [...new Set([nodeId, ...nplus10])].filter((id) => id !== ctx.self.nodeId);
          for (const id of ids) {
            const who = id === nodeId ? 'it' : `its preferred peer ${id.slice(0, 8)}`;
            if (id !== besides && lasting(id)) return `connected to ${who}`;
            const { n2Reporters, n3Reporters } = reach(id);
            if (n2Reporters.some((reporter) => reporter !== besides)) return `${who} is in N2`;
            if (n3Reporters.some((reporter) => reporter !== besides)) return `${who} is in N3`;
          }
          const anchor = ids.find((id) => anchorIds.has(id));
          return anchor === undefined ? undefined : `anchor ${anchor.slice(0, 8)} has it as preferred peer`;
        },
        hops(nodeId) {
          if (network.connectionsOf(nodeId).length > 0) return 0;
          const { n2Reporters, n3Reporters } = reach(nodeId);
          return n2Reporters.length > 0 ? 2 : n3Reporters.length > 0 ? 3 : 4;
        },
        reporters(nodeId) {
          const { n2Reporters, n3Reporters } = reach(nodeId);
          return [...new Set([...n2Reporters, ...n3Reporters])];
        },
      };
    },
    { signal: ctx.signal },
  );
}
