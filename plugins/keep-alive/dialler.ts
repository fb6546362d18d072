import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { ContextBase, Network, NodeId, Ref } from '../../kernel/index.ts';
import type { PeersService, Told } from '../peers/api.ts';
import type { Need } from './api.ts';
import { keepAliveRequest } from './messages.ts';
import type { ReachabilitySnapshot } from './reachability-snapshot.ts';

/** Nodes tried for one session; redirects count. */
const TRIES_MAX = 4;
/** Finding one of them may take the whole lookup. */
const REACH_LIMIT_MS = 30_000;
/** A redirect may name anybody. */
const REDIRECT_LIMITS = { group: 'keep-alive', perSite: 2, total: 60 };

/** One node that was tried, for `keepalive explain`. */
export interface Try {
  readonly host: NodeId;
  readonly why: string;
  /** `accepted`, `refused`, or an error code. */
  readonly result: string;
}

export interface Outcome {
  readonly host: NodeId | undefined;
  readonly connectionId: number;
  readonly tries: readonly Try[];
}

export interface DiallerDeps {
  readonly ctx: ContextBase;
  readonly network: Network;
  readonly peers: Ref<PeersService>;
}

interface Candidate {
  readonly nodeId: NodeId;
  readonly why: string;
  /** Where a redirect said it is, and who said so. */
  readonly told?: Told;
}

/** Opens a session for a needed node: to it, or to the closest of its preferred peers (KEEP-03). */
export class Dialler {
  readonly #deps: DiallerDeps;

  constructor(deps: DiallerDeps) {
    this.#deps = deps;
  }

  async open(need: Need, around: ReachabilitySnapshot): Promise<Outcome> {
    const { ctx, network } = this.#deps;
    const queue = this.#candidates(need, around);
    const tries: Try[] = [];
    const tried = new Set<NodeId>([ctx.self.nodeId]);
    while (tries.length < TRIES_MAX) {
      const next = queue.shift();
      if (next === undefined) break;
      if (tried.has(next.nodeId)) continue;
      tried.add(next.nodeId);
      try {
        await this.#connect(next);
        const body = { target: need.nodeId, keep: true };
        const answer = await ctx.send(next.nodeId, keepAliveRequest, body, { signal: ctx.signal });
        const connection = network.connectionsOf(next.nodeId).at(-1);
        if (answer.accepted && connection !== undefined) {
          tries.push({ host: next.nodeId, why: next.why, result: 'accepted' });
          return { host: next.nodeId, connectionId: connection.id, tries };
        }
        tries.push({ host: next.nodeId, why: next.why, result: 'refused' });
        ctx.counters.add('requests-refused');
        if (answer.redirect === undefined) continue;
        const { node_id, addresses } = answer.redirect;
        const told = { addresses, by: next.nodeId, limits: REDIRECT_LIMITS };
        queue.unshift({ nodeId: node_id, why: `${next.nodeId.slice(0, 8)} is full and named it`, told });
      } catch (error) {
        if (ctx.signal.aborted) throw error;
        tries.push({ host: next.nodeId, why: next.why, result: codeOf(error) });
      }
    }
    return { host: undefined, connectionId: 0, tries };
  }

  /** The nearest first; the node itself before preferred peers as near. */
  #candidates({ nodeId, nplus10 }: Need, around: ReachabilitySnapshot): Candidate[] {
    const peers = [...new Set(nplus10)].filter((id) => id !== nodeId);
    return [nodeId, ...peers]
      .map((id) => ({ nodeId: id, hops: around.hops(id) }))
      .sort((one, other) => one.hops - other.hops)
      .map(({ nodeId: id, hops }) => ({
        nodeId: id,
        why: `${id === nodeId ? 'the node itself' : 'a preferred peer of it'}, ${hops > 3 ? 'beyond three hops' : `${hops} hops`}`,
      }));
  }

  /** A node that a redirect named is dialled where it was said to be, and looked for when it may not be. */
  async #connect({ nodeId, told }: Candidate): Promise<void> {
    const { ctx } = this.#deps;
    const linked = linkSignals([ctx.signal], { deadlineMs: REACH_LIMIT_MS, clock: ctx.clock });
    const { signal } = linked;
    const request = { nodeId, purpose: 'keep-alive', search: true, ...(told === undefined ? {} : { told }) };
    try {
      await this.#deps.peers.tryUse((service, own) => service.connect({ ...request, signal: own }), {
        signal,
        restart: true,
      });
    } finally {
      linked.dispose();
    }
  }
}
