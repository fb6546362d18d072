import type { NodeId } from '../../kernel/index.ts';
import type { AddressBook } from './address-book.ts';
import type { Announcements } from './announcements.ts';
import type { MeshService, PeerInfo } from './api.ts';
import type { MeshContext } from './context.ts';
import { meshErrors } from './errors.ts';
import { peerOf } from './links.ts';
import type { Knowledge } from './knowledge/knowledge.ts';
import type { Link, Links } from './links.ts';
import type { Redial } from './redial.ts';
import type { Cascade } from './resolve/cascade.ts';
import type { Sections } from './sections.ts';

interface ServiceParts {
  readonly links: Links;
  readonly book: AddressBook;
  readonly redial: Redial;
  readonly sections: Sections;
  readonly announcements: Announcements;
  readonly knowledge: Knowledge;
  readonly cascade: Cascade<Link>;
  connect(target: string, signal: AbortSignal | undefined): Promise<Link>;
}

/** What mesh offers to other plugins. */
export function meshService(mesh: MeshContext, parts: ServiceParts): MeshService {
  const { links, book, redial, sections, announcements, knowledge, cascade } = parts;

  const describe = (link: Link): PeerInfo | undefined => {
    const connection = mesh.network.connection(link.connectionId);
    if (connection === undefined) return undefined;
    return Object.freeze({
      peer: peerOf(link),
      connectionId: link.connectionId,
      kind: connection.kind,
      direction: connection.direction,
      remoteAddr: connection.remoteAddr,
      connectedAtMs: connection.connectedAtMs,
      lastActivityMs: connection.lastActivityMs,
      features: [...link.features],
    });
  };

  const describeFresh = (link: Link): PeerInfo => {
    const peer = describe(link);
    if (peer === undefined) throw meshErrors.make('exchange-failed', { reason: 'the connection ended at once' });
    return peer;
  };

  return {
    peers: () => links.ready().flatMap((link) => describe(link) ?? []),
    isPeer: (nodeId) => links.readyOf(nodeId).length > 0,
    features: (nodeId) => new Set(links.readyOf(nodeId).flatMap((link) => link.features)),
    supports: (nodeId, feature) => links.readyOf(nodeId).some((link) => link.features.includes(feature)),
    connect: async (target, options) => describeFresh(await parts.connect(target, options?.signal)),
    connectTo: async (nodeId, options) => describeFresh(await cascade.connect(nodeId, options)),
    offerStep: (step) => cascade.offer(step),
    reach: (nodeId) => knowledge.reach(nodeId),
    layerOf: (nodeId) => knowledge.layerOf(nodeId),
    candidates: (limit) => knowledge.candidates(limit),
    randomN2: () => knowledge.randomN2(),
    contributeN1: (source) => knowledge.contributeN1(source),
    n1Changed: () => knowledge.n1Changed(),
    judge: (reporter, verdict) => knowledge.judge(reporter, verdict),
    keepReachable: (nodeId: NodeId, addresses) => {
      book.keepReachable(nodeId, addresses);
      redial.want(nodeId);
    },
    forget: (nodeId) => {
      book.forget(nodeId);
      if (!book.isWanted(nodeId)) redial.cancel(nodeId);
    },
    addresses: (nodeId) => book.get(nodeId)?.addresses ?? [],
    lastSeenMs: (nodeId) => book.get(nodeId)?.lastSeenMs || undefined,
    contribute: (name, contribution) => {
      const undo = sections.add(name, contribution);
      announcements.catchUp();
      return undo;
    },
  };
}
