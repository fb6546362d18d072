import { codeOf } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { AddressBook } from '../address-book.ts';
import { growthTried } from '../api.ts';
import type { GrowthTried, Lead } from '../api.ts';
import type { MeshContext } from '../context.ts';
import type { Link } from '../links.ts';
import type { DialBudget } from '../resolve/dial-budget.ts';
import type { Intents } from '../slots/intents.ts';
import type { Slots } from '../slots/slots.ts';
import type { Attempt, GrowthOutcome } from './attempt.ts';
import type { Growth } from './growth.ts';

/** How long a connection made for a slot that was refused waits for the redirect. */
const REDIRECT_WAIT_MS = 2_000;
/** Attempts remembered for `growth explain`. */
const TRIED_KEPT = 20;

interface GrowerParts {
  readonly growth: Growth;
  readonly slots: Slots;
  readonly intents: Intents;
  readonly book: AddressBook;
  /** One for all of mesh: to a stranger it is all the same what a dial is for. */
  readonly budget: DialBudget;
  /** A peer's link, by the cascade. */
  resolve(nodeId: NodeId): Promise<Link>;
  /** A peer's link, dialled at these addresses. */
  reach(nodeId: NodeId, addresses: readonly string[]): Promise<Link>;
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
    const { growth, intents } = this.#parts;
    const { counters, signal } = this.#mesh.ctx;
    counters.add(`growth-tries.${pick.why}`);
    const startedMs = this.#mesh.ctx.clock.now();
    const before = this.#mesh.network.connectionsOf(pick.nodeId).map(({ id }) => id);
    let link: Link | undefined;
    let outcome: GrowthOutcome = 'unreachable';
    let reason = '';
    try {
      link = await intents.during(pick.nodeId, 'growth', async () => {
        const reached = await (pick.lead === undefined ? this.#parts.resolve(pick.nodeId) : this.#follow(pick.lead));
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

  /** Dials a lead where its teller says it is, and finds it by knowledge when that is nowhere. */
  async #follow({ nodeId, addresses, from }: Lead): Promise<Link> {
    const { network } = this.#mesh;
    const { budget } = this.#parts;
    const seenAt = network.connectionsOf(from).at(-1)?.remoteAddr ?? '';
    const dialable = budget.charge(addresses.filter((address) => network.mayDial(address, seenAt)));
    if (dialable.length === 0) return this.#parts.resolve(nodeId);
    const link = await this.#parts.reach(nodeId, dialable);
    budget.led(dialable, network.connection(link.connectionId)?.remoteAddr);
    return link;
  }

  /** A connection that was made for the slot alone ends when it got none. */
  async #awaitRedirect(link: Link, startedMs: number): Promise<void> {
    const { ctx, network } = this.#mesh;
    const { intents, book } = this.#parts;
    for (let waited = 0; link.redirectDue && waited < REDIRECT_WAIT_MS; waited += 100) {
      await ctx.clock.sleep(100, ctx.signal);
    }
    const nodeId = link.nodeId as NodeId;
    const isOurs = link.direction === 'outbound' && link.readyAtMs >= startedMs;
    if (!isOurs || book.isWanted(nodeId) || intents.hasOtherUse(nodeId)) return;
    if (network.connection(link.connectionId)?.kind === 'session') network.close(link.connectionId, 'done');
  }
}
