import { codeOf } from '../../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../../kernel/index.ts';
import type { SlotFields } from '../../peers/api.ts';
import type { Lead } from '../api.ts';
import type { MeshContext } from '../context.ts';
import { REACTIVE_SHARE } from '../growth/growth.ts';
import { peerOf } from '../sessions.ts';
import type { MeshSession, MeshSessions } from '../sessions.ts';
import type { Neighbours } from '../neighbours.ts';
import { ALTERNATIVE_ADDRESSES_MAX, slotHandover } from '../messages.ts';
import type { HandoverAnswer, HandoverQuestion } from '../messages.ts';
import type { Slots } from './slots.ts';

/** Share of the slots that may change hands this way in a day: a crowd of liars gets no more, half stay honest. */
export const HANDOVER_SHARE = 0.5;
const WITHIN_MS = 24 * 3_600_000;
/** Peers asked for one newcomer, and for all of them at the same time. */
const ASKED_MAX = 2;
const AT_ONCE_MAX = 4;
/** How long who gave up its side waits for the other to close. */
const CLOSE_MS = 2_000;

interface SlotTransferParts {
  readonly sessions: MeshSessions;
  readonly slots: Slots;
  readonly neighbours: Neighbours;
  isPreferred(nodeId: NodeId): boolean;
  /** Growth found only full nodes, and asks this one for room. */
  pleadsTo(nodeId: NodeId): boolean;
  /** Growth is on, and dials whom it is offered. */
  canFollow(): boolean;
  /** Somebody else has been found for a slot that is free now. */
  offer(lead: Lead): boolean;
}

/**
 * Makes room for a newcomer in a full network. Two full peers agree to give up the connection between
 * them, and each takes the newcomer instead: nobody loses a peer against its will, and a network that
 * filled up early is woven together with those who come late.
 */
export class SlotTransfer {
  readonly #mesh: MeshContext;
  readonly #parts: SlotTransferParts;
  /** When slots changed hands of late, from either side; the cap bounds it. */
  #madeAtMs: number[] = [];
  /** For whom a partner is being looked for. */
  readonly #newcomers = new Set<string>();
  /** Whom we agreed to take instead of a peer; the share of a day bounds it. A swap forgets it. */
  readonly #agreedFor = new Set<string>();

  constructor(mesh: MeshContext, parts: SlotTransferParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /** What our handshake with this node says that we need. */
  need(nodeId: NodeId): SlotFields['need'] {
    if (!this.isShort) return undefined;
    return this.#parts.pleadsTo(nodeId) ? 'room' : 'slots';
  }

  /** Fewer slots than growth wants at any price. */
  get isShort(): boolean {
    return this.#parts.slots.heldCount < Math.ceil(this.#parts.slots.limits.mesh * REACTIVE_SHARE);
  }

  /** Frees a slot for this newcomer and keeps it for it, if a peer agrees. The caller releases the session's slot. */
  async makeRoom(newcomer: MeshSession): Promise<void> {
    const { slots } = this.#parts;
    if (slots.refusal(newcomer) !== 'full' || this.#newcomers.size >= AT_ONCE_MAX || this.#isSpent) return;
    const { nodeId } = newcomer;
    if (this.#newcomers.has(nodeId)) return;
    this.#newcomers.add(nodeId);
    try {
      for (let asked = 0; asked < ASKED_MAX; asked++) {
        const partner = this.#partner(newcomer);
        if (partner === undefined) return;
        if (!(await this.#ask(partner, newcomer))) continue;
        newcomer.cameByTransfer = true;
        this.#madeAtMs.push(this.#mesh.ctx.clock.now());
        slots.hand(partner, newcomer);
        return;
      }
    } finally {
      this.#newcomers.delete(nodeId);
    }
  }

  /** Handler: a full peer asks us to give up our connection in favour of one to a newcomer. */
  answer({ newcomer, addresses }: HandoverQuestion, call: IncomingCall): HandoverAnswer {
    const { sessions, slots, offer } = this.#parts;
    const { ctx, network } = this.#mesh;
    const session = sessions.get(call.connectionId);
    const from = call.peer.nodeId;
    if (session === undefined || !this.#isSpare(session) || this.isShort || this.#isSpent) return { agreed: false };
    // It takes a slot of ours already: another would leave one of the two without a use.
    if (this.#newcomers.has(newcomer) || !this.#parts.canFollow()) return { agreed: false };
    if (!offer({ nodeId: newcomer, addresses, from })) return { agreed: false };
    ctx.counters.add('handovers-agreed');
    this.#madeAtMs.push(ctx.clock.now());
    this.#agreedFor.add(newcomer);
    slots.giveUp(session);
    this.#mesh.ctx.background(
      'handover',
      ctx.clock.sleep(CLOSE_MS, ctx.signal).then(() => network.close(session.connectionId, 'done')),
    );
    return { agreed: true };
  }

  async #ask(partner: MeshSession, newcomer: MeshSession): Promise<boolean> {
    const { ctx, network } = this.#mesh;
    const { connectionId } = partner;
    const seenAt = network.connection(connectionId)?.remoteAddr ?? '';
    const addresses = [network.connection(newcomer.connectionId)?.remoteAddr ?? '']
      .concat(this.#parts.neighbours.addresses(newcomer.nodeId))
      .filter((address, at, all) => all.indexOf(address) === at && network.mayDial(address, seenAt))
      .slice(0, ALTERNATIVE_ADDRESSES_MAX);
    try {
      const question = { newcomer: newcomer.nodeId, addresses };
      const answer = await ctx.send(peerOf(partner), slotHandover, question, { connectionId, signal: ctx.signal });
      ctx.counters.add(answer.agreed ? 'handovers-made' : 'handovers-refused');
      return answer.agreed;
    } catch (error) {
      ctx.counters.add(`handovers-failed.${codeOf(error)}`);
      return false;
    }
  }

  /** Any peer at random, so that the network is mixed. */
  #partner(newcomer: MeshSession): MeshSession | undefined {
    const spare = this.#parts.neighbours
      .peers()
      .filter(({ peer, features }) => peer.nodeId !== newcomer.nodeId && features.includes(slotHandover.name))
      .flatMap(({ connectionId }) => this.#parts.sessions.get(connectionId) ?? [])
      .filter((session) => this.#isSpare(session));
    return spare[spare.length === 0 ? 0 : this.#mesh.ctx.random.integer(spare.length)];
  }

  /** Neither preferred, nor remembered, nor a newcomer itself. */
  #isSpare(session: MeshSession): boolean {
    const { nodeId } = session;
    const { neighbours, isPreferred } = this.#parts;
    const cameByTransfer = session.cameByTransfer || this.#agreedFor.has(nodeId);
    return session.holdsSlot && !cameByTransfer && !isPreferred(nodeId) && !neighbours.isRemembered(nodeId);
  }

  get #isSpent(): boolean {
    const since = this.#mesh.ctx.clock.now() - WITHIN_MS;
    this.#madeAtMs = this.#madeAtMs.filter((atMs) => atMs > since);
    if (this.#madeAtMs.length === 0) this.#agreedFor.clear();
    return this.#madeAtMs.length + this.#newcomers.size >= Math.ceil(this.#parts.slots.limits.mesh * HANDOVER_SHARE);
  }

  /** For the next generation: a swap gives nobody a fresh share. */
  snapshot(): number[] {
    return this.#madeAtMs;
  }

  restore(madeAtMs: readonly number[]): void {
    this.#madeAtMs = [...madeAtMs];
  }
}
