import type { Contribution, NodeId } from '../../kernel/index.ts';
import { SLOT_POLICY } from './api.ts';
import type { HandshakeParty, SlotFields, SlotPolicy } from './api.ts';
import type { PeersPluginContext } from './context.ts';
import type { DialPurposes } from './dial-purposes.ts';
import { peerOf } from './sessions.ts';
import type { PeerSession } from './sessions.ts';

/** Two peers are asked in turn, for 2 s each. */
const ROOM_LIMIT_MS = 5_000;

/** The share that who gives out mesh slots has in a handshake. While nobody does, no slot is asked for or given. */
export class SlotNegotiation {
  readonly #ctx: PeersPluginContext;
  readonly #purposes: DialPurposes;

  constructor(ctx: PeersPluginContext, purposes: DialPurposes) {
    this.#ctx = ctx;
    this.#purposes = purposes;
  }

  nplus10(): readonly NodeId[] {
    return this.#ask((policy) => policy.nplus10(), [this.#ctx.self.nodeId]);
  }

  /** What our handshake says. */
  begin(session: PeerSession): SlotFields {
    const none: SlotFields = { nplus10: [this.#ctx.self.nodeId], wants_slot: false };
    return this.#ask((policy) => policy.ask(partyOf(session), this.#purposes.of(session.nodeId)), none);
  }

  answered(session: PeerSession, theirs: SlotFields): void {
    this.#ask((policy) => policy.answered(partyOf(session), theirs), undefined);
  }

  /** What fails here costs the newcomer the room, and not the handshake. */
  async makeRoom(session: PeerSession, signal: AbortSignal): Promise<void> {
    const limits = { signal, limitMs: ROOM_LIMIT_MS };
    try {
      await this.#policy?.use((policy) => policy.makeRoom(partyOf(session)), limits);
    } catch {
      signal.throwIfAborted();
      this.#ctx.counters.add('room-not-made');
    }
  }

  /** What the answer to the peer's handshake says. */
  settle(session: PeerSession, theirs: SlotFields): Pick<SlotFields, 'slot'> {
    const wants = theirs.wants_slot ?? true;
    const refused: SlotFields = { nplus10: [], ...(wants ? { slot: 'refused' as const } : {}) };
    const { slot } = this.#ask((policy) => policy.asked(partyOf(session), { ...theirs, wants_slot: wants }), refused);
    return slot === undefined ? {} : { slot };
  }

  over(session: PeerSession): void {
    this.#ask((policy) => policy.over(session.connectionId), undefined);
  }

  #ask<R>(call: (policy: SlotPolicy) => R, fallback: R): R {
    return this.#policy === undefined ? fallback : this.#policy.ask(call, fallback);
  }

  get #policy(): Contribution<SlotPolicy> | undefined {
    return this.#ctx.contributions(SLOT_POLICY)[0];
  }
}

function partyOf(session: PeerSession): HandshakeParty {
  return { peer: peerOf(session), connectionId: session.connectionId, features: [...session.features] };
}
