import { BoundedMap, codeOf, NodeIdSchema, Type } from '../../../kernel/index.ts';
import type { NodeId, Static } from '../../../kernel/index.ts';
import type { Neighbours } from '../neighbours.ts';
import { rebalanced } from '../api.ts';
import type { MeshContext } from '../context.ts';
import type { MeshSession } from '../sessions.ts';
import type { PreferenceAgreements } from '../prefer/preference-agreements.ts';
import type { PreferredPeers } from '../prefer/preferred-peers.ts';
import type { Blacklist } from '../slots/blacklist.ts';
import type { Slots } from '../slots/slots.ts';
import { planRebalance } from './plan.ts';
import type { RebalanceStep } from './plan.ts';

/** Lost peers remembered; beyond it the first lost goes. */
const DROPPED_MAX = 64;
/** Ends that say that somebody wanted it so, or that the peer goes for good. */
const FINAL_REASONS = new Set([
  'user-request',
  'mesh-full',
  'over-capacity',
  'misbehaviour',
  'incompatible',
  'duplicate-connection',
  'exchange-failed',
  'done',
]);

export const DroppedState = Type.Object({ nodeId: NodeIdSchema, atMs: Type.Number() });
export type DroppedState = Static<typeof DroppedState>;

interface RebalanceParts {
  readonly slots: Slots;
  readonly neighbours: Neighbours;
  readonly preferred: PreferredPeers;
  readonly agreements: PreferenceAgreements;
  readonly blacklist: Blacklist;
  /** Connects a node for a slot. */
  connectTo(nodeId: NodeId, purpose: 'preferred' | 'return'): Promise<unknown>;
  requestGrowth(): void;
}

/** Carries out {@link planRebalance} every ten minutes, and when a person asks. */
export class Rebalance {
  readonly #mesh: MeshContext;
  readonly #parts: RebalanceParts;
  readonly #dropped = new BoundedMap<NodeId, number>(DROPPED_MAX);

  constructor(mesh: MeshContext, parts: RebalanceParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /** A connection that held a slot has ended. */
  lost(session: MeshSession, reason: string): void {
    const nodeId = session.nodeId;
    if (FINAL_REASONS.has(reason)) return;
    this.#dropped.set(nodeId, this.#mesh.ctx.clock.now());
  }

  snapshot(): DroppedState[] {
    return [...this.#dropped].map(([nodeId, atMs]) => ({ nodeId, atMs }));
  }

  restore(dropped: readonly DroppedState[]): void {
    for (const { nodeId, atMs } of dropped) this.#dropped.set(nodeId, atMs);
  }

  plan(): RebalanceStep[] {
    const { ctx, network } = this.#mesh;
    const { slots, neighbours, preferred, blacklist } = this.#parts;
    const nowMs = ctx.clock.now();
    return planRebalance({
      nowMs,
      zombieMs: neighbours.zombieMs,
      sessionIdleMs: ctx.config.sessionIdleMs,
      limit: slots.limits.mesh,
      connections: network.connections().map(({ id, peer, kind, lastActivityMs }) => ({
        connectionId: id,
        nodeId: peer.nodeId,
        kind,
        idleMs: nowMs - lastActivityMs,
        isWanted: kind === 'session' && neighbours.isRemembered(peer.nodeId),
      })),
      preferred: preferred.all(),
      dropped: [...this.#dropped].map(([nodeId, atMs]) => ({ nodeId, atMs })),
      isBlacklisted: (nodeId) => blacklist.has(nodeId),
    });
  }

  /** Returns what was done; the dials it began go on. */
  run(cause: 'timer' | 'command'): RebalanceStep[] {
    const { ctx } = this.#mesh;
    const { preferred, slots } = this.#parts;
    slots.fitLimit();
    for (const { nodeId } of slots.held()) preferred.reached(nodeId);
    const steps = this.plan();
    for (const step of steps) this.#start(step);
    ctx.background('rebalance', this.#dial(steps));
    ctx.counters.add(`rebalances.${cause}`);
    ctx.emit(rebalanced, {
      cause,
      steps: steps.map((step) => ('nodeId' in step ? `${step.do} ${step.nodeId}` : step.do)),
    });
    return steps;
  }

  /** PREF-03: preferred peers come before anybody else. */
  async returnPreferred(): Promise<void> {
    await this.#dial(this.plan().filter((step) => step.do === 'reconnect-preferred'));
  }

  #start(step: RebalanceStep): void {
    const { ctx, network } = this.#mesh;
    if (step.do === 'close') {
      ctx.counters.add(`rebalance-closed.${step.reason}`);
      network.close(step.connectionId, step.reason);
    } else if (step.do === 'prune-preferred') {
      this.#parts.agreements.lost(step.nodeId);
    } else if (step.do === 'reconnect') this.#dropped.delete(step.nodeId);
  }

  /** Preferred peers before the others, and growth when it is known who came. */
  async #dial(steps: readonly RebalanceStep[]): Promise<void> {
    for (const [what, purpose] of [
      ['reconnect-preferred', 'preferred'],
      ['reconnect', 'return'],
    ] as const) {
      await Promise.all(
        steps.map(async (step) => {
          if (step.do !== what) return;
          try {
            await this.#parts.connectTo(step.nodeId, purpose);
          } catch (error) {
            this.#mesh.ctx.counters.add(`${what}-failed.${codeOf(error)}`);
          }
        }),
      );
      this.#mesh.ctx.signal.throwIfAborted();
    }
    if (steps.some((step) => step.do === 'negotiate')) await this.#parts.agreements.round();
    if (steps.some((step) => step.do === 'signal-growth')) this.#parts.requestGrowth();
  }
}
