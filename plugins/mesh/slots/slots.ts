import { BlockShares, Type } from '../../../kernel/index.ts';
import type { ConnectionKind, NodeId, Static } from '../../../kernel/index.ts';
import { SLOT_PURPOSES } from '../../peers/api.ts';
import { meshEmptied, slotChanged } from '../api.ts';
import type { SlotCounts, SlotKind } from '../api.ts';
import type { MeshContext } from '../context.ts';
import { peerOf } from '../sessions.ts';
import type { MeshSession, MeshSessions } from '../sessions.ts';
import { decideSlot, leastDiverse, slotLimits } from './decide.ts';
import type { HeldSlot, SlotDecision, SlotLimits, SlotRefusal, SlotTable } from './decide.ts';

/** Kinds a handshake may turn into `mesh` or `session`; others belong to whoever gave them. */
const OPEN_KINDS: ReadonlySet<ConnectionKind> = new Set(['ephemeral', 'session', 'mesh']);

export interface SlotParts {
  readonly sessions: MeshSessions;
  isPreferred(nodeId: NodeId): boolean;
  isBlacklisted(nodeId: NodeId): boolean;
  diversity(nodeId: NodeId): number;
  /** This node has got a slot or lost it. */
  changed(nodeId: NodeId, holdsSlot: boolean): void;
}

/** A handshake with its repeats, and the room that may be made for it. */
const RESERVED_MS = 45_000;

export const Reservation = Type.Object({ connectionId: Type.Integer(), untilMs: Type.Number() });
export type Reservation = Static<typeof Reservation>;

/**
 * Who holds a mesh slot. The sessions say so, because this is asked all the time; {@link reconcile} takes
 * over what others made of a connection's kind.
 */
export class Slots {
  readonly #mesh: MeshContext;
  readonly #parts: SlotParts;

  /** Connections for which a slot is kept free, and until when; a connection that ends takes its own away. */
  readonly #reservations = new Map<number, number>();

  constructor(mesh: MeshContext, parts: SlotParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  get limits(): SlotLimits {
    return slotLimits(this.#mesh.ctx.config);
  }

  held(): HeldSlot[] {
    const held: HeldSlot[] = [];
    for (const { connectionId, nodeId, holdsSlot } of this.#parts.sessions.values()) {
      if (holdsSlot) held.push({ connectionId, nodeId });
    }
    return held;
  }

  get heldCount(): number {
    let count = 0;
    for (const { holdsSlot } of this.#parts.sessions.values()) if (holdsSlot) count++;
    return count;
  }

  /** Another plugin may have made a session for a purpose of its own of a mesh connection. */
  reconcile(): void {
    for (const session of this.#parts.sessions.values()) {
      if (!session.holdsSlot || this.#mesh.network.kindOf(session.connectionId) === 'mesh') continue;
      this.ended(session);
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
    return this.#parts.sessions.get(connectionId)?.holdsSlot ?? false;
  }

  kindOf(session: MeshSession): SlotKind {
    if (!this.holds(session.connectionId)) return 'none';
    return this.#parts.isPreferred(session.nodeId) ? 'preferred' : 'non-preferred';
  }

  /** The slot of a node, whichever of its connections holds it. */
  slotOf(nodeId: NodeId): SlotKind {
    if (!this.held().some((held) => held.nodeId === nodeId)) return 'none';
    return this.#parts.isPreferred(nodeId) ? 'preferred' : 'non-preferred';
  }

  /** Whether our handshake is to ask for a slot; from then to {@link release} one is kept free for it. */
  reserve(session: MeshSession, purposes: readonly string[]): boolean {
    const kind = this.#mesh.network.kindOf(session.connectionId);
    if (kind === undefined || !OPEN_KINDS.has(kind)) return false;
    // A connection that nobody here is making at this moment asks for one; it is how a mesh begins.
    const wants = purposes.length === 0 || purposes.some((purpose) => SLOT_PURPOSES.has(purpose));
    if (kind !== 'mesh' && !wants) return false;
    const { grant } = this.#decide(session);
    if (grant) this.#reservations.set(session.connectionId, this.#mesh.ctx.clock.now() + RESERVED_MS);
    return grant;
  }

  /** A slot is kept free for this connection. */
  isReserved(connectionId: number): boolean {
    return (this.#reservations.get(connectionId) ?? 0) > this.#mesh.ctx.clock.now();
  }

  release(connectionId: number): void {
    this.#reservations.delete(connectionId);
  }

  reservations(): readonly Reservation[] {
    return [...this.#reservations].map(([connectionId, untilMs]) => ({ connectionId, untilMs }));
  }

  restore(reservations: readonly Reservation[]): void {
    for (const { connectionId, untilMs } of reservations) this.#reservations.set(connectionId, untilMs);
  }

  /** Gives the session a slot if it may have one. */
  take(session: MeshSession): SlotDecision {
    const { network } = this.#mesh;
    const connection = network.connection(session.connectionId);
    if (connection === undefined || !OPEN_KINDS.has(connection.kind)) return { grant: false, reason: 'held-already' };
    const decision = this.#decide(session);
    if (!decision.grant) return decision;
    if (decision.evict !== undefined) this.#evict(decision.evict, 'preferred-return');
    if (connection.kind === 'mesh') return decision;
    network.setKind(session.connectionId, 'mesh');
    session.holdsSlot = true;
    this.#tell(session, this.kindOf(session), 'granted');
    return decision;
  }

  /** Why the session would get no slot now. */
  refusal(session: MeshSession): SlotRefusal | undefined {
    const decision = this.#decide(session);
    return decision.grant ? undefined : decision.reason;
  }

  /** Ends a session by agreement and keeps its slot for another until {@link release}. */
  hand(from: MeshSession, to: MeshSession): void {
    this.giveUp(from);
    this.#reservations.set(to.connectionId, this.#mesh.ctx.clock.now() + RESERVED_MS);
    this.#mesh.network.close(from.connectionId, 'done');
  }

  /** The connection is to end by agreement: its slot is free from now on. */
  giveUp(session: MeshSession): void {
    if (!session.holdsSlot) return;
    session.holdsSlot = false;
    this.#mesh.network.setKind(session.connectionId, 'session');
    this.#tell(session, 'none', 'handed-over');
  }

  /** The connection stays, without a slot. */
  refuse(session: MeshSession): void {
    const kind = this.#mesh.network.kindOf(session.connectionId);
    if (kind === 'ephemeral') this.#mesh.network.setKind(session.connectionId, 'session');
    session.slotRefusedAtMs = this.#mesh.ctx.clock.now();
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

  /** The connection of this session has ended. */
  ended(session: MeshSession): void {
    this.release(session.connectionId);
    if (!session.holdsSlot) return;
    session.holdsSlot = false;
    this.#tell(session, 'none', 'ended');
    if (this.heldCount === 0) this.#mesh.ctx.emit(meshEmptied, {});
  }

  /** A mesh peer became preferred, or is no longer. */
  preferenceChanged(nodeId: NodeId, reason: 'agreed' | 'cancelled'): void {
    for (const session of this.#parts.sessions.ofNode(nodeId)) {
      if (session.holdsSlot) this.#tell(session, this.kindOf(session), reason);
    }
  }

  #evict({ connectionId, nodeId }: HeldSlot, reason: 'preferred-return' | 'limit-lowered'): void {
    const { ctx, network } = this.#mesh;
    ctx.counters.add(`evicted.${reason}`);
    ctx.log.info('slot-evicted', { peer: nodeId, reason });
    const session = this.#parts.sessions.get(connectionId);
    if (session?.holdsSlot) {
      session.holdsSlot = false;
      this.#tell(session, 'none', reason);
    }
    network.setKind(connectionId, 'session');
    network.close(connectionId, 'over-capacity');
  }

  #decide(session: MeshSession): SlotDecision {
    const { isPreferred, isBlacklisted, diversity } = this.#parts;
    const table: SlotTable = {
      limits: this.limits,
      held: this.held(),
      reserved: this.#reserved(session),
      isPreferred,
      isWithinShare: () => this.#isWithinShare(session),
      isBlacklisted,
      diversity,
    };
    return decideSlot({ connectionId: session.connectionId, nodeId: session.nodeId }, table);
  }

  /** What is held or kept free for others of the same address counts; a preferred peer's slot does not. */
  #isWithinShare(session: MeshSession): boolean {
    const { network, ctx } = this.#mesh;
    const blocksOf = (connectionId: number) => network.blocksOf(network.connection(connectionId)?.remoteAddr ?? '');
    const blocks = blocksOf(session.connectionId);
    if (blocks.length === 0) return true;
    const shares = new BlockShares();
    for (const { connectionId, nodeId, holdsSlot } of this.#parts.sessions.values()) {
      if (connectionId === session.connectionId || this.#parts.isPreferred(nodeId)) continue;
      if (holdsSlot || this.isReserved(connectionId)) shares.add(blocksOf(connectionId));
    }
    return shares.hasRoom(blocks, ctx.config.maxPerAddress);
  }

  #reserved(besides: MeshSession | undefined): number {
    let reserved = 0;
    for (const connectionId of this.#reservations.keys()) {
      if (!this.isReserved(connectionId)) this.#reservations.delete(connectionId);
      else if (connectionId !== besides?.connectionId && !this.holds(connectionId)) reserved++;
    }
    return reserved;
  }

  #tell(session: MeshSession, slot: SlotKind, reason: string): void {
    this.#mesh.ctx.counters.add(`slots.${reason}`);
    this.#mesh.ctx.emit(slotChanged, { peer: peerOf(session), connectionId: session.connectionId, slot, reason });
    this.#parts.changed(session.nodeId, slot !== 'none');
  }
}
