import { BoundedMap, codeOf, linkSignals, placeOf, WaitList } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { Lead } from '../api.ts';
import type { MeshContext } from '../context.ts';
import type { Neighbours } from '../neighbours.ts';
import { peerOf } from '../sessions.ts';
import type { MeshSession } from '../sessions.ts';
import { ALTERNATIVE_ADDRESSES_MAX, refuseRedirect } from '../messages.ts';
import type { RefuseRedirectBody } from '../messages.ts';

/** Refused nodes in need of slots are sent to each other while that is news. */
const IN_NEED_MAX = 32;
const IN_NEED_MS = 60_000;
/** Who became a peer last is most likely to have a slot free: one of so many is named. */
const NEWEST = 8;

/** Attempts of growth that wait for a redirect: as many as there are at once. */
const WAITING_MAX = 16;

interface RedirectParts {
  readonly neighbours: Neighbours;
  /** Growth takes the suggestion, or leaves it. */
  suggested(lead: Lead): void;
}

/** RefuseRedirect from both ends (MESH-05, MESH-06). */
export class Redirects {
  readonly #mesh: MeshContext;
  readonly #parts: RedirectParts;
  /** Nodes we refused of late that have slots free themselves: where they were seen, and when. */
  readonly #inNeed = new BoundedMap<NodeId, { readonly seenAt: string; readonly atMs: number }>(IN_NEED_MAX);

  readonly #heard = new WaitList({ max: WAITING_MAX, full: () => new Error('too many wait for a redirect') });

  constructor(mesh: MeshContext, parts: RedirectParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /**
   * Tells a peer that gets no slot whom to ask instead: one that was refused as well and needs slots, or a
   * live mesh peer of ours.
   */
  send(session: MeshSession, features: readonly string[], isInNeed: boolean): void {
    const { ctx } = this.#mesh;
    if (!features.includes(refuseRedirect.name)) return;
    const body = this.#alternative(session);
    if (isInNeed) this.#remember(session);
    const { connectionId } = session;
    const sending = ctx
      .send(peerOf(session), refuseRedirect, body, { connectionId, signal: ctx.signal })
      .catch((error) => {
        ctx.counters.add(`redirects-not-sent.${codeOf(error)}`);
      });
    ctx.counters.add('redirects-sent');
    ctx.background('redirect', sending);
  }

  /** Handler of RefuseRedirect: one for each time we asked, and no more. */
  receive(session: MeshSession | undefined, { alternative, addresses }: RefuseRedirectBody): void {
    const { counters } = this.#mesh.ctx;
    if (session === undefined || !session.redirectDue) {
      counters.add('redirects-unasked');
      return;
    }
    session.redirectDue = false;
    this.#heard.all();
    counters.add('redirects-received');
    if (alternative === undefined) return;
    this.#parts.suggested({ nodeId: alternative, addresses, from: session.nodeId });
  }

  /** Resolves when the redirect that is due on this connection has come, or does not come in time. */
  async heard(session: MeshSession, limitMs: number): Promise<void> {
    const { ctx } = this.#mesh;
    const limited = linkSignals([ctx.signal], { deadlineMs: limitMs, clock: ctx.clock });
    try {
      while (session.redirectDue) await this.#heard.wait(limited.signal);
    } catch {
      ctx.signal.throwIfAborted();
    } finally {
      limited.dispose();
    }
  }

  #alternative(asker: MeshSession): RefuseRedirectBody {
    const { network, ctx } = this.#mesh;
    const toldTo = network.connection(asker.connectionId)?.remoteAddr ?? '';
    const [inNeed, newest] = [this.#anotherInNeed(asker), this.#newestPeer(asker)];
    // To be in need costs nothing but saying so: half of the redirects go to who has proved to be a peer.
    const alternative = ctx.random.integer(2) === 0 ? (inNeed ?? newest) : (newest ?? inNeed);
    if (alternative === undefined) return { addresses: [] };
    const seenAt = this.#inNeed.get(alternative)?.seenAt;
    const addresses = [...(seenAt === undefined ? [] : [seenAt]), ...this.#parts.neighbours.addresses(alternative)]
      .filter((address, at, all) => all.indexOf(address) === at && network.mayDial(address, toldTo))
      .slice(0, ALTERNATIVE_ADDRESSES_MAX);
    ctx.counters.add(seenAt === undefined ? 'redirects-to-peers' : 'redirects-to-others-in-need');
    return { alternative, addresses };
  }

  #anotherInNeed(asker: MeshSession): NodeId | undefined {
    const { ctx } = this.#mesh;
    for (const [nodeId, { atMs }] of this.#inNeed) {
      if (ctx.clock.now() - atMs > IN_NEED_MS) this.#inNeed.delete(nodeId);
    }
    const others = [...this.#inNeed.keys()].filter((nodeId) => nodeId !== asker.nodeId);
    return others[others.length === 0 ? 0 : ctx.random.integer(others.length)];
  }

  #newestPeer(asker: MeshSession): NodeId | undefined {
    const newest = this.#parts.neighbours
      .peers()
      .filter(({ kind, peer }) => kind === 'mesh' && peer.nodeId !== asker.nodeId)
      .sort((a, b) => b.readyAtMs - a.readyAtMs)
      .slice(0, NEWEST);
    return newest[newest.length === 0 ? 0 : this.#mesh.ctx.random.integer(newest.length)]?.peer.nodeId;
  }

  #remember(session: MeshSession): void {
    const nodeId = session.nodeId;
    const seenAt = this.#mesh.network.connection(session.connectionId)?.remoteAddr;
    if (seenAt === undefined) return;
    const { site } = placeOf(seenAt);
    // One of a site, or a machine that invents identities would have all redirects for itself.
    for (const [other, known] of this.#inNeed) {
      if (other === nodeId || placeOf(known.seenAt).site === site) this.#inNeed.delete(other);
    }
    this.#inNeed.set(nodeId, { seenAt, atMs: this.#mesh.ctx.clock.now() });
  }
}
