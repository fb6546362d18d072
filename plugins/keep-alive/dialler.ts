import { BoundedMap, codeOf, linkSignals } from '../../kernel/index.ts';
import type { ContextBase, Network, NodeId, Ref } from '../../kernel/index.ts';
import type { MeshService } from '../mesh/api.ts';
import type { Need } from './api.ts';
import { keepAliveRequest } from './messages.ts';
import type { Surroundings } from './surroundings.ts';

/** Nodes tried for one session; redirects count. */
const TRIES_MAX = 4;
/** Finding one of them may take the whole cascade. */
const REACH_LIMIT_MS = 30_000;
/** A redirect may name anybody: one address is dialled on such word once in this time at most. */
const TOLD_PAUSE_MS = 3_600_000;
const TOLD_MAX = 1_000;

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
  mesh(): Ref<MeshService>;
}

interface Candidate {
  readonly nodeId: NodeId;
  readonly why: string;
  /** Where a redirect said it is, and who said so. */
  readonly told?: { readonly addresses: readonly string[]; readonly by: NodeId };
}

/** Opens a session for a needed node: to it, or to the closest of its preferred peers (KEEP-03). */
export class Dialler {
  readonly #deps: DiallerDeps;
  /** Addresses dialled on the word of a redirect, the latest last. */
  readonly #told = new BoundedMap<string, number>(TOLD_MAX);

  constructor(deps: DiallerDeps) {
    this.#deps = deps;
  }

  async open(need: Need, around: Surroundings): Promise<Outcome> {
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
        const told = { addresses, by: next.nodeId };
        queue.unshift({ nodeId: node_id, why: `${next.nodeId.slice(0, 8)} is full and named it`, told });
      } catch (error) {
        if (ctx.signal.aborted) throw error;
        tries.push({ host: next.nodeId, why: next.why, result: codeOf(error) });
      }
    }
    return { host: undefined, connectionId: 0, tries };
  }

  /** The nearest first; the node itself before preferred peers as near. */
  #candidates({ nodeId, nplus10 }: Need, around: Surroundings): Candidate[] {
    const peers = [...new Set(nplus10)].filter((id) => id !== nodeId);
    return [nodeId, ...peers]
      .map((id) => ({ nodeId: id, hops: around.hops(id) }))
      .sort((one, other) => one.hops - other.hops)
      .map(({ nodeId: id, hops }) => ({
        nodeId: id,
        why: `${id === nodeId ? 'the node itself' : 'a preferred peer of it'}, ${hops > 3 ? 'beyond three hops' : `${hops} hops`}`,
      }));
  }

  async #connect({ nodeId, told }: Candidate): Promise<void> {
    const { ctx, network } = this.#deps;
    if (network.connectionsOf(nodeId).length > 0) return;
    const linked = linkSignals([ctx.signal], { deadlineMs: REACH_LIMIT_MS, clock: ctx.clock });
    const { signal } = linked;
    try {
      const dialable = told === undefined ? [] : await this.#allowed(told.addresses, told.by);
      if (dialable.length > 0) {
        const dial = network.dial({ nodeId, addresses: dialable }, { signal });
        const expected = this.#deps.mesh().tryUse((service) => service.expectSession(nodeId, dial), { signal });
        const [{ remoteAddr }] = await Promise.all([dial, expected]);
        await this.#deps.mesh().tryUse((service) => service.dialLed(remoteAddr), { signal });
        return;
      }
      await this.#deps
        .mesh()
        .tryUse((service) => service.connectTo(nodeId, { purpose: 'keep-alive', signal }), { signal });
    } finally {
      linked.dispose();
    }
  }

  async #allowed(addresses: readonly string[], by: NodeId): Promise<readonly string[]> {
    const { ctx, network } = this.#deps;
    const seenAt = network.connectionsOf(by)[0]?.remoteAddr ?? '';
    const now = ctx.clock.now();
    const rested = addresses.filter((address) => {
      if (!network.mayDial(address, seenAt)) return false;
      if (now - (this.#told.get(address) ?? Number.NEGATIVE_INFINITY) < TOLD_PAUSE_MS) return false;
      this.#told.set(address, now);
      return true;
    });
    const { signal } = ctx;
    return (await this.#deps.mesh().tryUse((service) => service.chargeDials(rested), { signal })) ?? [];
  }
}
