import { codeOf } from '../../../kernel/index.ts';
import { SLOT_PURPOSES } from '../../peers/api.ts';
import type { ConnectRequest, PeerInfo } from '../../peers/api.ts';
import { growthTried } from '../api.ts';
import type { GrowthTried } from '../api.ts';
import type { MeshContext } from '../context.ts';
import type { Neighbours } from '../neighbours.ts';
import type { MeshSessions } from '../sessions.ts';
import type { Redirects } from '../slots/redirects.ts';
import type { Slots } from '../slots/slots.ts';
import type { Attempt, GrowthOutcome } from './attempt.ts';
import type { Growth } from './growth.ts';

/** How long a connection made for a slot that was refused waits for the redirect. */
const REDIRECT_WAIT_MS = 2_000;
/** Attempts remembered for `growth explain`. */
const TRIED_KEPT = 20;
/** CONN-03: a candidate is in N2, so who named it knows where it is; no search is worth a slot. */
const GROWTH_STEPS = ['peers-table', 'ask-n2-reporter', 'introduction'] as const;

interface GrowthLoopParts {
  readonly growth: Growth;
  readonly slots: Slots;
  readonly sessions: MeshSessions;
  readonly redirects: Redirects;
  readonly neighbours: Neighbours;
}

/** Does what growth decides. */
export class GrowthLoop {
  readonly #mesh: MeshContext;
  readonly #parts: GrowthLoopParts;
  readonly #tried: (GrowthTried & { readonly atMs: number })[] = [];

  constructor(mesh: MeshContext, parts: GrowthLoopParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /** What became of the latest attempts, the last first. */
  tried(): readonly (GrowthTried & { readonly atMs: number })[] {
    return this.#tried;
  }

  /** Starts as many attempts as growth allows; each goes on with the next. */
  run(): void {
    const { ctx } = this.#mesh;
    if (!ctx.config.growth) return;
    for (let pick = this.#parts.growth.next(); pick !== undefined; pick = this.#parts.growth.next()) {
      ctx.background('growth', this.#try(pick));
    }
  }

  async #try(pick: Attempt): Promise<void> {
    const { growth, slots, neighbours } = this.#parts;
    const { counters, signal } = this.#mesh.ctx;
    counters.add(`growth-tries.${pick.why}`);
    const startedMs = this.#mesh.ctx.clock.now();
    const before = this.#mesh.network.connectionsOf(pick.nodeId).map(({ id }) => id);
    let peer: PeerInfo | undefined;
    let outcome: GrowthOutcome = 'unreachable';
    let reason = '';
    try {
      peer = await neighbours.connect({ ...this.#target(pick), purpose: 'growth', signal, search: GROWTH_STEPS });
      const { connectionId } = peer;
      // The handshake of a connection that was made for this attempt has asked already.
      const refusedAtMs = this.#parts.sessions.get(connectionId)?.slotRefusedAtMs ?? 0;
      const asked = !before.includes(connectionId) && refusedAtMs >= startedMs;
      if (!slots.holds(connectionId) && !asked) await neighbours.askAgain(connectionId, 'growth');
      outcome = slots.holds(connectionId) ? 'joined' : 'refused';
    } catch (error) {
      reason = codeOf(error);
      counters.add(`growth-failed.${reason}`);
    }
    if (signal.aborted) return;
    // While the attempt counts as under way, a redirect is known to be the answer to it.
    if (peer !== undefined && outcome === 'refused') await this.#awaitRedirect(peer, startedMs);
    counters.add(`growth-outcomes.${outcome}`);
    growth.settled(pick, outcome);
    this.#note({ nodeId: pick.nodeId, why: pick.why, outcome, reason, tookMs: this.#mesh.ctx.clock.now() - startedMs });
    this.run();
  }

  #note(tried: GrowthTried): void {
    const { ctx } = this.#mesh;
    this.#tried.unshift({ ...tried, atMs: ctx.clock.now() });
    if (this.#tried.length > TRIED_KEPT) this.#tried.pop();
    ctx.emit(growthTried, tried);
  }

  #target({ nodeId, lead }: Attempt): Pick<ConnectRequest, 'nodeId' | 'told'> {
    return lead === undefined ? { nodeId } : { nodeId, told: { addresses: lead.addresses, by: lead.from } };
  }

  /** A connection that was made for the slot alone ends when it got none. */
  async #awaitRedirect({ peer, connectionId, direction, readyAtMs }: PeerInfo, startedMs: number): Promise<void> {
    const { network } = this.#mesh;
    const { redirects, sessions, neighbours } = this.#parts;
    const session = sessions.get(connectionId);
    if (session !== undefined) await redirects.heard(session, REDIRECT_WAIT_MS);
    const isOurs = direction === 'outbound' && readyAtMs >= startedMs;
    if (!isOurs || neighbours.isRemembered(peer.nodeId)) return;
    if (neighbours.purposes(peer.nodeId).some((purpose) => !SLOT_PURPOSES.has(purpose))) return;
    if (network.kindOf(connectionId) === 'session') network.close(connectionId, 'done');
  }
}
