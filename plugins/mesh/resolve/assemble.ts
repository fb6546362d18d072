import type { ConnectionKind, NodeId } from '../../../kernel/index.ts';
import type { ConnectRequest } from '../api.ts';
import type { AddressBook } from '../address-book.ts';
import type { MeshContext } from '../context.ts';
import type { History } from '../history.ts';
import type { KnowledgePeer } from '../knowledge/contract.ts';
import { Knowledge } from '../knowledge/knowledge.ts';
import { peerOf } from '../links.ts';
import type { Link, Links } from '../links.ts';
import type { Connector } from '../connector.ts';
import type { DialPurposes } from '../dial-purposes.ts';
import { AddressService } from './address-service.ts';
import { Cascade } from './cascade.ts';
import type { StepCall } from './contract.ts';

/** LAY-03: what is in N1 and takes part in routing. */
const ROUTING_KINDS: ReadonlySet<ConnectionKind> = new Set(['mesh', 'keep-alive', 'lan']);

/** Whose user disconnected us is left alone for so long. */
const DECLINED_MS = 15 * 60_000;

interface AssemblyParts {
  readonly links: Links;
  readonly book: AddressBook;
  readonly history: History;
  readonly connector: Connector;
  readonly purposes: DialPurposes;
  /** A peer's lists were taken in. */
  learned(reporter: NodeId, isNews: boolean): void;
}

/** Knowledge and resolution over mesh's own links, addresses and dials. */
export function assembleKnowledge(mesh: MeshContext, parts: AssemblyParts) {
  const { links, book, history, connector, purposes } = parts;
  const { network } = mesh;

  const readyOf = (nodeId: NodeId): Link | undefined => {
    for (const { id } of network.connectionsOf(nodeId)) {
      const link = links.get(id);
      if (link?.state === 'ready') return link;
    }
    return undefined;
  };
  const view = (link: Link): KnowledgePeer | undefined => {
    const kind = network.kindOf(link.connectionId);
    if (kind === undefined) return undefined;
    return { peer: peerOf(link), features: link.features, routes: ROUTING_KINDS.has(kind) };
  };

  const knowledge = new Knowledge(mesh, {
    peers: () => {
      const peers = new Map<string, KnowledgePeer>();
      for (const link of links.values()) {
        if (link.state !== 'ready') continue;
        const known = peers.get(link.deviceId);
        const peer = known?.routes === true ? known : view(link);
        if (peer !== undefined) peers.set(link.deviceId, peer);
      }
      return peers.values();
    },
    peer: (nodeId, deviceId) => {
      let found: KnowledgePeer | undefined;
      for (const { id } of network.connectionsOf(nodeId)) {
        const link = links.get(id);
        if (link?.state !== 'ready' || link.deviceId !== deviceId) continue;
        if (found?.routes !== true) found = view(link) ?? found;
      }
      return found;
    },
    isConnected: (nodeId) => readyOf(nodeId) !== undefined,
    learned: parts.learned,
  });
  const host = {
    knowledge,
    connected: readyOf,
    refusal: (nodeId: NodeId) => {
      if (book.get(nodeId)?.heldOff === true) return 'held-off' as const;
      const close = history.get(nodeId)?.last_close;
      const declined = close?.by_peer === true && close.reason === 'user-request';
      return declined && mesh.ctx.clock.now() - close.at_ms < DECLINED_MS ? ('declined' as const) : undefined;
    },
    remoteAddr: (nodeId: NodeId) => network.connectionsOf(nodeId).at(-1)?.remoteAddr,
    addresses: (nodeId: NodeId) => book.get(nodeId)?.addresses ?? [],
    connect: (request: ConnectRequest) => connector.connect(request),
    connectKnown: (nodeId: NodeId, options: StepCall & { except: ReadonlySet<string> }) =>
      connector.connectKnown(nodeId, options),
    asSession: <R>(nodeId: NodeId, work: () => Promise<R>) => purposes.during(nodeId, 'lookup', work),
    leave: (nodeId: NodeId) => {
      if (book.isWanted(nodeId) || purposes.of(nodeId).length > 0) return;
      for (const { id, kind, direction } of network.connectionsOf(nodeId)) {
        if (kind === 'session' && direction === 'outbound') network.close(id, 'done');
      }
    },
    whenConnected: async (nodeId: NodeId, signal: AbortSignal) => {
      const connection = network.connectionsOf(nodeId).at(-1);
      return links.whenReady(connection?.id ?? -1, signal);
    },
  };
  const addresses = new AddressService(mesh, host);
  return { knowledge, addresses, cascade: new Cascade(mesh, host, addresses) };
}
