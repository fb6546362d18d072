import { codeOf } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { AddressBook } from '../address-book.ts';
import { growthTried, SLOT_PURPOSES } from '../api.ts';
import type { ConnectRequest, GrowthTried } from '../api.ts';
import type { MeshContext } from '../context.ts';
import type { Link } from '../links.ts';
import type { DialPurposes } from '../dial-purposes.ts';
import type { Slots } from '../slots/slots.ts';
import type { Attempt, GrowthOutcome } from './attempt.ts';
import type { Growth } from './growth.ts';

/** How long a connection made for a slot that was refused waits for the redirect. */
const REDIRECT_WAIT_MS = 2_000;
/** Attempts remembered for `growth explain`. */
const TRIED_KEPT = 20;
/** CONN-03: a candidate is in N2, so who named it knows where it is; no search is worth a slot. */
const GROWTH_STEPS = ['peers-table', 'ask-n2-reporter', 'introduction'] as const;

interface GrowerParts {
  readonly growth: Growth;
  readonly slots: Slots;
  readonly purposes: DialPurposes;
  readonly book: AddressBook;
  connect(request: ConnectRequest): Promise<Link>;
  /** Exchanges again, to ask for a slot on a connection that has none. */
  ask(link: Link): Promise<void>;
}

/** Does what growth decides. */
export class Grower {
  readonly #mesh: MeshContext;
  readonly #parts: GrowerParts;
  readonly #tried: (GrowthTried & { readonly atMs: number })[] = [];

  constructor(mesh: MeshContext, parts: GrowerParts) {
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
    const { growth, purposes } = this.#parts;
    const { counters, signal } = this.#mesh.ctx;
    counters.add(`growth-tries.${pick.why}`);
    const startedMs = this.#mesh.ctx.clock.now();
    const before = this.#mesh.network.connectionsOf(pick.nodeId).map(({ id }) => id);
    let link: Link | undefined;
    let outcome: GrowthOutcome = 'unreachable';
    let reason = '';
    try {
      link = await purposes.during(pick.nodeId, 'growth', async () => {
        const reached = await this.#parts.connect({
          ...this.#target(pick),
          purpose: 'growth',
          signal,
          search: GROWTH_STEPS,
        });
        // The exchange of a connection that was made for this attempt has asked already.
        const asked = !before.includes(reached.connectionId) && reached.slotRefusedAtMs >= startedMs;
        if (!this.#parts.slots.holds(reached.connectionId) && !asked) await this.#parts.ask(reached);
        return reached;
      });
      outcome = this.#parts.slots.holds(link.connectionId) ? 'joined' : 'refused';
    } catch (error) {
      reason = codeOf(error);
      counters.add(`growth-failed.${reason}`);
    }
    if (signal.aborted) return;
    // While the attempt counts as under way, a redirect is known to be the answer to it.
    if (link !== undefined && outcome === 'refused') await this.#awaitRedirect(link, startedMs);
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
  async #awaitRedirect(link: Link, startedMs: number): Promise<void> {
    const { ctx, network } = this.#mesh;
    const { purposes, book } = this.#parts;
    for (let waited = 0; link.redirectDue && waited < REDIRECT_WAIT_MS; waited += 100) {
      await ctx.clock.sleep(100, ctx.signal);
    }
    const nodeId = link.nodeId as NodeId;
    const isOurs = link.direction === 'outbound' && link.readyAtMs >= startedMs;
    if (!isOurs || book.isWanted(nodeId) || purposes.of(nodeId).some((purpose) => !SLOT_PURPOSES.has(purpose))) return;
    if (network.connection(link.connectionId)?.kind === 'session') network.close(link.connectionId, 'done');
  }
}
