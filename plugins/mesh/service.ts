import { untilAborted } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { AddressBook } from './address-book.ts';
import type { Announcements } from './announcements.ts';
import type { ConnectRequest, MeshService, PeerInfo } from './api.ts';
import type { MeshContext } from './context.ts';
import type { Growth } from './growth/growth.ts';
import type { Grower } from './growth/grower.ts';
import type { KnowledgeView } from './knowledge/contract.ts';
import { meshErrors } from './errors.ts';
import { peerOf } from './links.ts';
import type { Link, Links } from './links.ts';
import type { Preference } from './prefer/preference.ts';
import type { Redial } from './redial.ts';
import type { AddressService } from './resolve/address-service.ts';
import type { CascadeStep } from './resolve/contract.ts';
import type { DialBudget } from './dial-budget.ts';
import type { Sections } from './sections.ts';
import type { Slots } from './slots/slots.ts';

interface ServiceParts {
  readonly links: Links;
  readonly book: AddressBook;
  readonly budget: DialBudget;
  readonly redial: Redial;
  readonly sections: Sections;
  readonly announcements: Announcements;
  readonly slots: Slots;
  readonly preference: Preference;
  readonly growth: Growth;
  readonly grower: Grower;
  readonly knowledge: KnowledgeView;
  connect(request: ConnectRequest): Promise<Link>;
  connectAndRemember(target: string, signal: AbortSignal | undefined): Promise<Link>;
  readonly addresses: Pick<AddressService<Link>, 'locate'>;
  offerStep(step: CascadeStep): () => void;
}

/** What mesh offers to other plugins. */
export function meshService(mesh: MeshContext, parts: ServiceParts): MeshService {
  const { links, book, redial, sections, announcements, slots, preference, growth, grower, knowledge } = parts;

  const describe = (link: Link): PeerInfo | undefined => {
    const connection = mesh.network.connection(link.connectionId);
    if (connection === undefined) return undefined;
    return Object.freeze({
      peer: peerOf(link),
      connectionId: link.connectionId,
      kind: connection.kind,
      slot: slots.kindOf(link),
      direction: connection.direction,
      remoteAddr: connection.remoteAddr,
      connectedAtMs: connection.connectedAtMs,
      lastActivityMs: connection.lastActivityMs,
      features: [...link.features],
    });
  };

  const described = (link: Link): PeerInfo => {
    const peer = describe(link);
    if (peer === undefined) throw meshErrors.make('exchange-failed', { reason: 'the connection ended at once' });
    return peer;
  };

  return {
    peers: () => links.ready().flatMap((link) => describe(link) ?? []),
    isPeer: (nodeId) => links.readyOf(nodeId).length > 0,
    features: (nodeId) => new Set(links.readyOf(nodeId).flatMap((link) => link.features)),
    supports: (nodeId, feature) => links.readyOf(nodeId).some((link) => link.features.includes(feature)),
    connect: async (request) => described(await parts.connect(request)),
    connectAndRemember: async (target, options) => described(await parts.connectAndRemember(target, options?.signal)),
    mayHaveDialled: (address, limits) => parts.budget.takeForOther(address, limits),
    locate: (nodeId, { signal }) => untilAborted(parts.addresses.locate(nodeId, signal), signal),
    offerStep: (step) => parts.offerStep(step),
    meshPeers: () => [...new Set(slots.held().map(({ nodeId }) => nodeId))],
    slots: () => slots.counts(),
    nplus10: () => preference.nplus10(),
    nplus10Of: (nodeId) => (links.readyOf(nodeId)[0]?.nplus10 ?? []) as NodeId[],
    offerCandidate: (lead) => {
      const isTaken = growth.offer(lead);
      if (isTaken) grower.run();
      return isTaken;
    },
    requestGrowth: () => {
      growth.request();
      grower.run();
    },
    reach: (nodeId) => knowledge.reach(nodeId),
    layerOf: (nodeId) => knowledge.layerOf(nodeId),
    randomN2: () => knowledge.randomN2(),
    n1: () => knowledge.n1(),
    contributeN1: (source) => knowledge.contributeN1(source),
    n1Changed: () => knowledge.n1Changed(),
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
