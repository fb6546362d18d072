import { contribute, linkSignals } from '../../kernel/index.ts';
import type {
  BodyOf,
  Contributed,
  ContextBase,
  IncomingCall,
  Network,
  NodeId,
  Ref,
  ResponseOf,
  Signer,
} from '../../kernel/index.ts';
import { LOOKUP_STEP } from '../lookup/api.ts';
import type { LookupStep } from '../lookup/api.ts';
import { nplus10Changed } from '../mesh/api.ts';
import type { MeshService } from '../mesh/api.ts';
import { HANDSHAKE, peerGone, peerReady } from '../peers/api.ts';
import type { ConnectedPeers, HandshakeExtension, PeersService } from '../peers/api.ts';
import { N1_SHARE } from '../routing/api.ts';
import { routeChanged } from './api.ts';
import type { SocialRoute } from './api.ts';
import { addressRecords, PREFERRED_TREE_MAX } from './address-record.ts';
import type { AddressRecord } from './address-record.ts';
import { Checkins } from './checkins.ts';
import { presenceErrors } from './errors.ts';
import type { socialCheckin } from './messages.ts';
import { NamedContacts } from './named-contacts.ts';
import { OwnAddress } from './own-address.ts';
import type { Route, Routes } from './routes.ts';
import { Watchers } from './watchers.ts';
import { Presence } from './presence.ts';

const DAY_MS = 24 * 3_600_000;
/** After a start or reload, so that a node that runs less than a day at a time reports as well. */
const FIRST_DAILY_MS = 10 * 60_000;
/** Contacts away for longer are not named to others as reachable through us. */
const N1_RECENT_MS = 7 * DAY_MS;
/** Connections that are in N1 by themselves (LAY-03). */
const NEIGHBOUR_KINDS: ReadonlySet<string> = new Set(['mesh', 'keep-alive', 'lan']);

interface SocialRoutingDeps {
  readonly ctx: ContextBase;
  readonly network: Network;
  readonly signer: Signer;
  readonly routes: Routes;
  readonly connected: ConnectedPeers;
  followedAtMs(nodeId: NodeId): number | undefined;
  /** False while nobody says who is a contact: what is on disk is then told to nobody. */
  hasContacts(): boolean;
  readonly peers: Ref<PeersService>;
  readonly mesh: Ref<MeshService>;
}

/** Social routing (SOC-01..05): keeps the routes of contacts true, and helps contacts find each other. */
export class SocialRouting {
  readonly presence: Presence;
  readonly checkins: Checkins;
  readonly own: OwnAddress;
  readonly watchers: Watchers;
  readonly #deps: SocialRoutingDeps;
  readonly #network: Network;
  readonly #named: NamedContacts;
  readonly #startedMs: number;
  #preferred: readonly NodeId[] = [];
  #tree: readonly NodeId[] = [];
  #announced: AddressRecord | undefined;
  #dailyDueMs: number;

  constructor(deps: SocialRoutingDeps) {
    const { ctx, network, signer, routes, connected } = deps;
    this.#network = network;
    this.#named = new NamedContacts(ctx.db);
    this.#startedMs = ctx.clock.now();
    this.#deps = deps;
    this.#dailyDueMs = ctx.clock.now() + FIRST_DAILY_MS;
    this.watchers = new Watchers(ctx.db);
    this.own = new OwnAddress({
      self: ctx.self.nodeId,
      nowMs: () => ctx.clock.now(),
      signer,
      // A record travels further than the LAN, whose addresses must not (H5).
      addresses: () => network.localAddresses().filter((address) => network.mayDial(address, '')),
      preferred: () => this.#preferred,
    });
    const isPeer = (nodeId: NodeId): boolean => connected.has(nodeId);
    const takes = (nodeId: NodeId, message: string): boolean => connected.takes(nodeId, message);
    this.presence = new Presence({
      ctx,
      network,
      routes,
      watchers: this.watchers,
      own: this.own,
      takes,
      isPeer,
      changed: (nodeId) => this.changed(nodeId),
      seenElsewhere: (nodeId) => this.checkins.foundElsewhere(nodeId),
    });
    this.checkins = new Checkins({
      ctx,
      followedAtMs: deps.followedAtMs,
      routes,
      presence: this.presence,
      own: this.own,
      preferredTree: () => [...this.#tree],
      isPeer,
      takes,
      connect: (nodeId, limitMs) => this.#connect(nodeId, limitMs),
    });
    ctx.on(nplus10Changed, ({ nplus10 }) => {
      this.#preferred = nplus10;
    });
    ctx.on(peerReady, ({ peer }) => {
      this.checkins.served(peer.nodeId);
      return this.presence.came(peer.nodeId);
    });
    ctx.on(peerGone, async ({ peer }) => {
      if (!connected.has(peer.nodeId)) await this.presence.went(peer.nodeId);
    });
  }

  /** What routing adds to the handshake, to our N1 share and to lookups. */
  contributions(): readonly Contributed[] {
    const address: HandshakeExtension = {
      collect: () => this.own.current(),
      receive: (peer, value) => {
        if (!addressRecords.matches(value) || value.node_id !== peer.nodeId)
          throw presenceErrors.make('bad-address-record', { reason: 'malformed' });
        this.presence.learn(value, peer.nodeId);
      },
    };
    return [
      contribute(HANDSHAKE, address, { name: 'address' }),
      contribute(N1_SHARE, () => (this.#deps.hasContacts() ? this.n1() : [])),
      contribute(LOOKUP_STEP, this.#cachedAddresses(), { name: 'social-cache', before: ['peers-table'] }),
      contribute(LOOKUP_STEP, this.#preferredPeers(), { name: 'preferred-peers', after: ['ask-n3-chain'] }),
    ];
  }

  /** Once, after the commit. */
  async start(): Promise<void> {
    await this.#refreshPreferred();
    // After a start everybody gets it with the handshake.
    this.#announced ??= this.own.current();
  }

  /** Once a minute. */
  async tick(): Promise<void> {
    const { ctx, routes, connected } = this.#deps;
    this.#named.tick(this.#neighbours().size, ctx.clock.now() - this.#startedMs);
    await this.#refreshPreferred();
    const own = this.own.current();
    if (own !== this.#announced) {
      this.#announced = own;
      await this.presence.announceOwn(connected.nodes().filter((nodeId) => routes.has(nodeId)));
    }
    this.checkins.tick();
    if (ctx.clock.now() < this.#dailyDueMs) return;
    this.#dailyDueMs = ctx.clock.now() + DAY_MS;
    await this.presence.daily();
  }

  /** 0x72 from the answering side. */
  answer(
    { record, asks, preferred_tree = [] }: BodyOf<typeof socialCheckin>,
    call: IncomingCall,
  ): ResponseOf<typeof socialCheckin> {
    const from = call.peer.nodeId;
    if (record.node_id !== from)
      throw presenceErrors.make('bad-address-record', { reason: 'it is about another node' });
    this.presence.learn(record, from);
    this.presence.learnTree(from, preferred_tree);
    this.checkins.served(from);
    const answers = this.presence.answer(asks, from);
    return { record: this.own.current(), answers, preferred_tree: [...this.#tree] };
  }

  /** Contacts as members of our N1 (KNOW-01): ids alone, and nothing says which entries they are. */
  n1(): readonly NodeId[] {
    const sinceMs = this.#deps.ctx.clock.now() - N1_RECENT_MS;
    const contacts = this.#deps.routes
      .all()
      .filter(({ nodeId, lastConnectedMs }) => lastConnectedMs > sinceMs || this.#deps.connected.has(nodeId))
      .sort((one, other) => other.lastConnectedMs - one.lastConnectedMs)
      .map(({ nodeId }) => nodeId);
    return this.#named.of(contacts, this.#neighbours());
  }

  #neighbours(): ReadonlySet<NodeId> {
    const connections = this.#network.connections().filter(({ kind }) => NEIGHBOUR_KINDS.has(kind));
    return new Set(connections.map(({ peer }) => peer.nodeId));
  }

  /** What peers were told of us, for a next generation. */
  restore(record: AddressRecord): void {
    this.own.restore(record);
    this.#announced = record;
  }

  changed(nodeId: NodeId): void {
    const route = this.#deps.routes.get(nodeId);
    if (route !== undefined) this.#deps.ctx.emit(routeChanged, toSocialRoute(route));
  }

  /** The first step of a lookup: what a contact signed of itself, which nobody has proved. */
  #cachedAddresses(): LookupStep {
    return {
      limitMs: 1_000,
      find: async (target) => {
        const addresses = this.#deps.routes.get(target)?.toldAddresses ?? [];
        if (addresses.length === 0) return { kind: 'nothing', reason: 'no contact, or it told no address' };
        return { kind: 'addresses', addresses, toldBy: target };
      },
    };
  }

  #preferredPeers(): LookupStep {
    return {
      limitMs: 1_000,
      find: async (target) => {
        const nodes = (this.#deps.routes.get(target)?.nplus10 ?? []).filter((nodeId) => nodeId !== target);
        if (nodes.length === 0) return { kind: 'nothing', reason: 'no contact, or it told no preferred peers' };
        return { kind: 'through', nodes };
      },
    };
  }

  async #connect(nodeId: NodeId, limitMs: number): Promise<void> {
    const { ctx } = this.#deps;
    const { peers } = this.#deps;
    if (!peers.available) throw presenceErrors.make('peers-off');
    const linked = linkSignals([ctx.signal], { deadlineMs: limitMs, clock: ctx.clock });
    const { signal } = linked;
    try {
      const request = { nodeId, purpose: 'check-in' };
      await peers.use((service, own) => service.connect({ ...request, signal: own }), { signal, restart: true });
    } finally {
      linked.dispose();
    }
  }

  async #refreshPreferred(): Promise<void> {
    const { signal, self } = this.#deps.ctx;
    await this.#deps.mesh.tryUse(
      (service) => {
        const preferred = service.nplus10();
        const theirs = preferred.flatMap((nodeId) => (nodeId === self.nodeId ? [] : service.nplus10Of(nodeId)));
        this.#preferred = preferred;
        const tree = new Set([...preferred, ...theirs]);
        tree.delete(self.nodeId);
        this.#tree = [...tree].slice(0, PREFERRED_TREE_MAX);
      },
      { signal },
    );
  }
}

export function toSocialRoute(route: Route): SocialRoute {
  const { nodeId, relation, online, reachMethod, nplus10, preferredTree, addresses, lastConnectedMs } = route;
  return { nodeId, relation, online, reachMethod, nplus10, preferredTree, addresses, lastConnectedMs };
}
