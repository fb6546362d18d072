import type { ConnectionKind, NodeId } from '../../../kernel/index.ts';
import { meshEmptied, SLOT_PURPOSES, slotChanged } from '../api.ts';
import type { SlotCounts, SlotKind } from '../api.ts';
import type { MeshContext } from '../context.ts';
import { peerOf } from '../links.ts';
import type { Link, Links } from '../links.ts';
import { decideSlot, leastDiverse, slotLimits } from './decide.ts';
import type { HeldSlot, SlotDecision, SlotLimits, SlotTable } from './decide.ts';
import type { DialPurposes } from '../dial-purposes.ts';

/** Kinds an exchange may turn into `mesh` or `session`; others belong to whoever gave them. */
const OPEN_KINDS: ReadonlySet<ConnectionKind> = new Set(['ephemeral', 'session', 'mesh']);

export interface SlotParts {
  readonly links: Links;
  readonly purposes: DialPurposes;
  isPreferred(nodeId: NodeId): boolean;
  isBlacklisted(nodeId: NodeId): boolean;
  diversity(nodeId: NodeId): number;
  /** This node has got a slot or lost it. */
  changed(nodeId: NodeId, holdsSlot: boolean): void;
}

/**
 * Who holds a mesh slot. The links say so, because this is asked all the time; {@link reconcile} takes
 * over what others made of a connection's kind.
 */
export class Slots {
  readonly #mesh: MeshContext;
  readonly #parts: SlotParts;

  constructor(mesh: MeshContext, parts: SlotParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  get limits(): SlotLimits {
    return slotLimits(this.#mesh.ctx.config);
  }

  held(): HeldSlot[] {
    const held: HeldSlot[] = [];
    for (const { connectionId, nodeId, holdsSlot } of this.#parts.links.values()) {
      if (holdsSlot) held.push({ connectionId, nodeId: nodeId as NodeId });
    }
    return held;
  }

  get heldCount(): number {
    let count = 0;
    for (const { holdsSlot } of this.#parts.links.values()) if (holdsSlot) count++;
    return count;
  }

  /** Another plugin may have made a session for a purpose of its own of a mesh connection. */
  reconcile(): void {
    for (const link of this.#parts.links.values()) {
      if (!link.holdsSlot || this.#mesh.network.kindOf(link.connectionId) === 'mesh') continue;
      this.ended(link);
    }
  }

  counts(): SlotCounts {
    const held = this.held();
    const { mesh, preferred } = this.limits;
    return {
      held: held.length,
      reserved: this.#reserved(undefined),
      limit: mesh,
      preferred: held.filter(({ nodeId }) => this.#parts.isPreferred(nodeId)).length,
      preferredLimit: preferred,
    };
  }

  holds(connectionId: number): boolean {
    return this.#parts.links.get(connectionId)?.holdsSlot ?? false;
  }

  kindOf(link: Link): SlotKind {
    if (!this.holds(link.connectionId)) return 'none';
    return this.#parts.isPreferred(link.nodeId as NodeId) ? 'preferred' : 'non-preferred';
  }

  /** The slot of a node, whichever of its connections holds it. */
  slotOf(nodeId: NodeId): SlotKind {
    if (!this.held().some((held) => held.nodeId === nodeId)) return 'none';
    return this.#parts.isPreferred(nodeId) ? 'preferred' : 'non-preferred';
  }

  /** Whether our exchange is to ask for a slot; from then to {@link release} one is kept free for it. */
  reserve(link: Link): boolean {
    const kind = this.#mesh.network.kindOf(link.connectionId);
    if (kind === undefined || !OPEN_KINDS.has(kind)) return false;
    if (kind !== 'mesh' && !this.#wantsSlot(link.nodeId as NodeId)) return false;
    link.slotReserved = this.#decide(link).grant;
    return link.slotReserved;
  }

  release(link: Link): void {
    link.slotReserved = false;
  }

  /** Gives the link a slot if it may have one. */
  take(link: Link): SlotDecision {
    const { network } = this.#mesh;
    const connection = network.connection(link.connectionId);
    if (connection === undefined || !OPEN_KINDS.has(connection.kind)) return { grant: false, reason: 'held-already' };
    const decision = this.#decide(link);
    if (!decision.grant) return decision;
    if (decision.evict !== undefined) this.#evict(decision.evict, 'preferred-return');
    if (connection.kind === 'mesh') return decision;
    network.setKind(link.connectionId, 'mesh');
    link.holdsSlot = true;
    this.#tell(link, this.kindOf(link), 'granted');
    return decision;
  }

  /** Why the link would get no slot now. */
  refusal(link: Link): 'full' | 'blacklisted' | 'held-already' | undefined {
    const decision = this.#decide(link);
    return decision.grant ? undefined : decision.reason;
  }

  /** Ends a link by agreement and keeps its slot for another until {@link release}. */
  hand(from: Link, to: Link): void {
    this.giveUp(from);
    to.slotReserved = true;
    this.#mesh.network.close(from.connectionId, 'done');
  }

  /** The connection is to end by agreement: its slot is free from now on. */
  giveUp(link: Link): void {
    if (!link.holdsSlot) return;
    link.holdsSlot = false;
    this.#mesh.network.setKind(link.connectionId, 'session');
    this.#tell(link, 'none', 'handed-over');
  }

  /** The connection stays, without a slot. */
  refuse(link: Link): void {
    const kind = this.#mesh.network.kindOf(link.connectionId);
    if (kind === 'ephemeral') this.#mesh.network.setKind(link.connectionId, 'session');
    link.slotRefusedAtMs = this.#mesh.ctx.clock.now();
  }

  /** Closes what a lowered limit no longer covers, least diverse first and preferred peers last. */
  fitLimit(): void {
    for (let held = this.held(); held.length > this.limits.mesh; held = this.held()) {
      const { isPreferred, diversity } = this.#parts;
      const evict = leastDiverse({ held, isPreferred, diversity }) ?? held.at(-1);
      if (evict === undefined) return;
      this.#evict(evict, 'limit-lowered');
    }
  }

  /** The connection of this link has ended. */
  ended(link: Link): void {
    if (!link.holdsSlot) return;
    link.holdsSlot = false;
    this.#tell(link, 'none', 'ended');
    if (this.heldCount === 0) this.#mesh.ctx.emit(meshEmptied, {});
  }

  /** A mesh peer became preferred, or is no longer. */
  preferenceChanged(nodeId: NodeId, reason: 'agreed' | 'cancelled'): void {
    for (const link of this.#parts.links.readyOf(nodeId)) {
      if (link.holdsSlot) this.#tell(link, this.kindOf(link), reason);
    }
  }

  #evict({ connectionId, nodeId }: HeldSlot, reason: 'preferred-return' | 'limit-lowered'): void {
    const { ctx, network } = this.#mesh;
    ctx.counters.add(`evicted.${reason}`);
    ctx.log.info('slot-evicted', { peer: nodeId, reason });
    const link = this.#parts.links.get(connectionId);
    if (link?.holdsSlot) {
      link.holdsSlot = false;
      this.#tell(link, 'none', reason);
    }
    network.setKind(connectionId, 'session');
    network.close(connectionId, 'over-capacity');
  }

  #decide(link: Link): SlotDecision {
    const { isPreferred, isBlacklisted, diversity } = this.#parts;
    const table: SlotTable = {
      limits: this.limits,
      held: this.held(),
      reserved: this.#reserved(link),
      isPreferred,
      isBlacklisted,
      diversity,
    };
    return decideSlot({ connectionId: link.connectionId, nodeId: link.nodeId as NodeId }, table);
  }

  /** A connection that nobody here is making at this moment asks for one; it is how a mesh begins. */
  #wantsSlot(nodeId: NodeId): boolean {
    const purposes = this.#parts.purposes.of(nodeId);
    return purposes.length === 0 || purposes.some((purpose) => SLOT_PURPOSES.has(purpose));
  }

  #reserved(besides: Link | undefined): number {
    let reserved = 0;
    for (const link of this.#parts.links.values()) {
      if (link.slotReserved && link !== besides && !link.holdsSlot) reserved++;
    }
    return reserved;
  }

  #tell(link: Link, slot: SlotKind, reason: string): void {
    this.#mesh.ctx.counters.add(`slots.${reason}`);
    this.#mesh.ctx.emit(slotChanged, { peer: peerOf(link), connectionId: link.connectionId, slot, reason });
    this.#parts.changed(link.nodeId as NodeId, slot !== 'none');
  }
}
