import { BoundedMap, codeOf } from '../../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../../kernel/index.ts';
import type { PeerInfo } from '../../peers/api.ts';
import { nplus10Changed } from '../api.ts';
import type { MeshContext } from '../context.ts';
import type { Neighbours } from '../neighbours.ts';
import type { MeshSession, MeshSessions } from '../sessions.ts';
import type { Blacklist } from '../slots/blacklist.ts';
import type { Slots } from '../slots/slots.ts';
import { meshPrefer, nplus10Notice } from './messages.ts';
import type { PreferAnswer, PreferQuestion } from './messages.ts';
import type { PreferredPeers } from './preferred-peers.ts';

/** A mesh peer nobody asked to remember is worth preferring after so long. */
export const UPTIME_MS = 3_600_000;
/** Who did not agree is asked again after so long. */
const ASK_AGAIN_MS = 3_600_000;
/** Peers asked in one round. */
const ASKED_AT_ONCE = 3;
const ASKED_MAX = 512;

interface AgreementParts {
  readonly sessions: MeshSessions;
  readonly slots: Slots;
  readonly neighbours: Neighbours;
  readonly preferred: PreferredPeers;
  readonly blacklist: Blacklist;
}

/** Makes and ends agreements with preferred peers (PREF-01, H14): only what both sides said holds. */
export class PreferenceAgreements {
  readonly #mesh: MeshContext;
  readonly #parts: AgreementParts;
  readonly #askedAtMs = new BoundedMap<NodeId, number>(ASKED_MAX);

  constructor(mesh: MeshContext, parts: AgreementParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /** The N+10 of this node: itself and up to ten preferred peers (NPT-01). */
  nplus10(): NodeId[] {
    const { self } = this.#mesh.ctx;
    return [self.nodeId, ...this.#parts.preferred.all().map(({ nodeId }) => nodeId)].slice(0, 11);
  }

  /** Handler of MeshPrefer. */
  answer(question: PreferQuestion, call: IncomingCall): PreferAnswer {
    const { preferred, neighbours } = this.#parts;
    const { nodeId } = call.peer;
    if (question.want === 'cancel') {
      this.#end(nodeId);
      return { agreed: true, nplus10: this.nplus10() };
    }
    this.#take(call.connectionId, question.nplus10);
    const reason = preferred.has(nodeId) ? undefined : this.#objection(neighbours.peer(call.connectionId));
    if (reason !== undefined) return { agreed: false, reason, nplus10: this.nplus10() };
    this.#begin(nodeId);
    return { agreed: true, nplus10: this.nplus10() };
  }

  /** Handler of the notice of a changed N+10. */
  heard(session: MeshSession | undefined, nplus10: readonly NodeId[]): void {
    if (session === undefined || nplus10[0] !== session.nodeId) {
      this.#mesh.ctx.counters.add('nplus10-unfit');
      return;
    }
    session.nplus10 = [...nplus10];
    this.confirm(session);
  }

  /** The peer was out of reach for too long: its place is free, and only a new agreement brings it back (CONN-08). */
  lost(nodeId: NodeId): void {
    this.#mesh.ctx.counters.add('preferred-pruned');
    this.#end(nodeId);
  }

  /** Asks the mesh peers most worth it, while there are preferred slots free. */
  async round(): Promise<void> {
    const now = this.#mesh.ctx.clock.now();
    const { neighbours, preferred } = this.#parts;
    const worth = neighbours
      .peers()
      .filter((info) => !preferred.has(info.peer.nodeId) && this.#objection(info) === undefined)
      .filter(({ features }) => features.includes(meshPrefer.name))
      .filter(({ peer }) => now - (this.#askedAtMs.get(peer.nodeId) ?? -Infinity) >= ASK_AGAIN_MS)
      .map((info) => ({ info, remembered: neighbours.isRemembered(info.peer.nodeId) ? 0 : 1 }))
      .sort((a, b) => a.remembered - b.remembered || a.info.readyAtMs - b.info.readyAtMs);
    for (const { info } of worth.slice(0, ASKED_AT_ONCE)) await this.#ask(info);
  }

  /**
   * The peer said in its handshake who its preferred peers are. One that no longer counts us among them
   * has ended the agreement, or never heard that we agreed.
   */
  confirm(session: MeshSession): void {
    const { preferred } = this.#parts;
    const nodeId = session.nodeId;
    if (!preferred.has(nodeId)) return;
    if (session.nplus10.includes(this.#mesh.ctx.self.nodeId)) preferred.reached(nodeId);
    else this.#end(nodeId);
  }

  /** Ends an agreement from our side and tells the peer, if it is here. */
  async cancel(nodeId: NodeId, reason: string): Promise<void> {
    if (!this.#end(nodeId)) return;
    const info = this.#peerOf(nodeId);
    if (info !== undefined) await this.#send(info, { ...this.#question('cancel'), reason });
  }

  #peerOf(nodeId: NodeId): PeerInfo | undefined {
    return this.#parts.neighbours.peers().find(({ peer }) => peer.nodeId === nodeId);
  }

  async #ask(info: PeerInfo): Promise<void> {
    const { nodeId } = info.peer;
    this.#askedAtMs.set(nodeId, this.#mesh.ctx.clock.now());
    const answer = await this.#send(info, this.#question('prefer'));
    if (answer === undefined) return;
    this.#mesh.ctx.counters.add(answer.agreed ? 'preference-agreed' : 'preference-refused');
    if (!answer.agreed) return;
    // Somebody else may have taken the last place while we asked, and the peer may have gone.
    if (this.#objection(this.#parts.neighbours.peer(info.connectionId)) === undefined) this.#begin(nodeId);
    else await this.#send(info, { ...this.#question('cancel'), reason: 'full' });
  }

  /** No answer in time is a refusal (H14). */
  async #send({ peer, connectionId }: PeerInfo, question: PreferQuestion): Promise<PreferAnswer | undefined> {
    const { ctx } = this.#mesh;
    try {
      const answer = await ctx.send(peer, meshPrefer, question, { connectionId, signal: ctx.signal });
      this.#take(connectionId, answer.nplus10);
      return answer;
    } catch (error) {
      ctx.counters.add(`preference-failed.${codeOf(error)}`);
      return undefined;
    }
  }

  #question(want: PreferQuestion['want']): PreferQuestion {
    const { preferred, slots } = this.#parts;
    return { want, free_slots: Math.max(0, slots.limits.preferred - preferred.size), nplus10: this.nplus10() };
  }

  /** Why this peer is not to be preferred; the same rule whoever asks. */
  #objection(info: PeerInfo | undefined): string | undefined {
    const { slots, preferred, blacklist, neighbours } = this.#parts;
    if (info === undefined || !slots.holds(info.connectionId)) return 'not-in-mesh';
    const { nodeId } = info.peer;
    if (blacklist.has(nodeId)) return 'not-willing';
    if (preferred.size >= slots.limits.preferred) return 'full';
    const isProved = this.#mesh.ctx.clock.now() - info.readyAtMs >= UPTIME_MS;
    return isProved || neighbours.isRemembered(nodeId) ? undefined : 'not-willing';
  }

  #begin(nodeId: NodeId): void {
    if (this.#parts.preferred.has(nodeId)) return;
    this.#parts.preferred.add(nodeId);
    this.#parts.slots.preferenceChanged(nodeId, 'agreed');
    this.#changed();
  }

  #end(nodeId: NodeId): boolean {
    if (!this.#parts.preferred.remove(nodeId)) return false;
    // An agreement that just ended does not come back by itself at once.
    this.#askedAtMs.set(nodeId, this.#mesh.ctx.clock.now());
    this.#parts.slots.preferenceChanged(nodeId, 'cancelled');
    this.#changed();
    return true;
  }

  /** Preferred peers are told, who tell others where this node is found (NPT-08). */
  #changed(): void {
    const { ctx } = this.#mesh;
    ctx.emit(nplus10Changed, { nplus10: this.nplus10() });
    for (const { nodeId } of this.#parts.preferred.all()) {
      const info = this.#peerOf(nodeId);
      if (info === undefined || !info.features.includes(nplus10Notice.name)) continue;
      const { connectionId } = info;
      const body = { nplus10: this.nplus10() };
      const sending = ctx
        .send(info.peer, nplus10Notice, body, { connectionId, signal: ctx.signal })
        .catch((error) => ctx.counters.add(`nplus10-not-told.${codeOf(error)}`));
      ctx.background('nplus10', sending);
    }
  }

  #take(connectionId: number, nplus10: readonly NodeId[]): void {
    const session = this.#parts.sessions.get(connectionId);
    if (session !== undefined) session.nplus10 = [...nplus10];
  }
}
