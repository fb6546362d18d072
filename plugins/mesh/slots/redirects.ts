import { codeOf } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { Lead } from '../api.ts';
import type { MeshContext } from '../context.ts';
import { peerOf } from '../links.ts';
import type { Link, Links } from '../links.ts';
import { ALTERNATIVE_ADDRESSES_MAX, refuseRedirect } from '../messages.ts';
import type { RefuseRedirectBody } from '../messages.ts';

/** Who became a peer last is most likely to have a slot free: one of so many is named. */
const NEWEST = 8;

interface RedirectParts {
  readonly links: Links;
  addresses(nodeId: NodeId): readonly string[];
  /** Growth takes the suggestion, or leaves it. */
  suggested(lead: Lead): void;
}

/** RefuseRedirect from both ends (MESH-05, MESH-06). */
export class Redirects {
  readonly #mesh: MeshContext;
  readonly #parts: RedirectParts;

  constructor(mesh: MeshContext, parts: RedirectParts) {
    this.#mesh = mesh;
    this.#parts = parts;
  }

  /** Tells a peer that gets no slot whom to ask instead: a live mesh peer of ours, where there is one. */
  send(link: Link): void {
    const { ctx, background } = this.#mesh;
    if (!link.features.includes(refuseRedirect.name)) return;
    const body = this.#alternative(link);
    const { connectionId } = link;
    const sending = ctx
      .send(peerOf(link), refuseRedirect, body, { connectionId, signal: ctx.signal })
      .catch((error) => {
        ctx.counters.add(`redirects-not-sent.${codeOf(error)}`);
      });
    ctx.counters.add('redirects-sent');
    background('redirect', sending);
  }

  /** Handler of RefuseRedirect: one for each time we asked, and no more. */
  receive(link: Link | undefined, { alternative, addresses }: RefuseRedirectBody): void {
    const { counters } = this.#mesh.ctx;
    if (link === undefined || !link.redirectDue) {
      counters.add('redirects-unasked');
      return;
    }
    link.redirectDue = false;
    counters.add('redirects-received');
    if (alternative === undefined) return;
    this.#parts.suggested({ nodeId: alternative as NodeId, addresses, from: link.nodeId as NodeId });
  }

  #alternative(asker: Link): RefuseRedirectBody {
    const { network, ctx } = this.#mesh;
    const seenAt = network.connection(asker.connectionId)?.remoteAddr ?? '';
    const newest = this.#parts.links
      .ready()
      .filter((link) => link.holdsSlot && link.nodeId !== asker.nodeId)
      .sort((a, b) => b.readyAtMs - a.readyAtMs)
      .slice(0, NEWEST);
    const chosen = newest[newest.length === 0 ? 0 : ctx.random.integer(newest.length)];
    if (chosen === undefined) return { addresses: [] };
    const addresses = this.#parts
      .addresses(chosen.nodeId as NodeId)
      .filter((address) => network.mayDial(address, seenAt))
      .slice(0, ALTERNATIVE_ADDRESSES_MAX);
    return { alternative: chosen.nodeId, addresses };
  }
}
