import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { contribute, ItsgoinError } from '../../kernel/index.ts';
import type { AnyMessage, Contributed, ContributeOptions, NodeId, PeerId, Point } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { isDialable } from '../../kernel/transport/address.ts';
import { CallGate } from '../../kernel/lifecycle/call-gate.ts';
import { Points } from '../../kernel/lifecycle/points.ts';
import type { LookupContext } from '../../plugins/lookup/context.ts';
import { LOOKUP_STEP } from '../../plugins/lookup/api.ts';
import { LOOKUP_PURPOSE } from '../../plugins/lookup/world.ts';
import { N1_SHARE } from '../../plugins/routing/api.ts';
import type { N1Source } from '../../plugins/routing/api.ts';
import type { RoutingContext } from '../../plugins/routing/context.ts';
import { knownSteps } from '../../plugins/lookup/known-steps.ts';
import type { LookupStep } from '../../plugins/lookup/api.ts';
import type { LookupWorld } from '../../plugins/lookup/world.ts';
import type { RoutingPeer } from '../../plugins/routing/contract.ts';
import { RoutingTable } from '../../plugins/routing/routing-table.ts';
import { nodeListUpdate, PACKED_IDS } from '../../plugins/routing/messages.ts';
import type { NodeLists } from '../../plugins/routing/messages.ts';
import { AddressService } from '../../plugins/lookup/address-service.ts';
import { SLOT_PURPOSES } from '../../plugins/peers/api.ts';
import { DialPurposes } from '../../plugins/peers/dial-purposes.ts';

import { PeerLookup } from '../../plugins/lookup/peer-lookup.ts';
import { DialBudget } from '../../plugins/peers/dial-budget.ts';
import { addressRequest } from '../../plugins/lookup/messages.ts';
import type { AddressAnswer, AddressQuestion } from '../../plugins/lookup/messages.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { nodeIds, peerOf } from './ids.ts';

const LATENCY_MS = 20;

/** Where the shipped steps stand, apart from those of lookup itself. */
const PLACES: Readonly<Record<string, ContributeOptions>> = {
  'social-cache': { before: ['peers-table'] },
  'preferred-peers': { after: ['ask-n3-chain'] },
  'profile-anchors': { after: ['ask-n3-chain', 'preferred-peers'] },
  'worm-search': { after: ['ask-n3-chain', 'preferred-peers', 'profile-anchors'] },
  introduction: { after: ['worm-search'] },
};

export interface Sent {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly name: string;
  readonly body: object;
  readonly atMs: number;
}

/** Nodes that are nothing but knowledge and resolution, joined by hand; time is the test's. */
export class Neighbourhood {
  readonly clock = new VirtualClock();
  readonly sent: Sent[] = [];
  readonly dials: { from: NodeId; address: string }[] = [];
  /** Those of the addresses dialled whose connections ask for no slot. */
  readonly sessions: string[] = [];
  readonly #neighbours = new Map<NodeId, Neighbour>();
  /** Loses a message when it says so. */
  loses: (sent: Sent) => boolean = () => false;

  add(name: string, options: { packed?: boolean; addr?: string } = {}): Neighbour {
    const host = `203.0.113.${this.#neighbours.size + 1}`;
    const neighbour = new Neighbour(this, name, options.packed ?? true, options.addr ?? `${host}:4433`);
    this.#neighbours.set(neighbour.id, neighbour);
    return neighbour;
  }

  get(id: NodeId): Neighbour | undefined {
    return this.#neighbours.get(id);
  }

  /** Connects two nodes with a handshake: their parts go both ways. */
  async join(a: Neighbour, b: Neighbour): Promise<void> {
    const [ofA, ofB] = [a.knowledge.extension.collect(b.peer), b.knowledge.extension.collect(a.peer)];
    if (ofA !== undefined) await b.knowledge.extension.receive(a.peer, JSON.parse(JSON.stringify(ofA)));
    if (ofB !== undefined) await a.knowledge.extension.receive(b.peer, JSON.parse(JSON.stringify(ofB)));
    a.links.set(b.id, b);
    b.links.set(a.id, a);
    a.knowledge.joined(b.peer);
    b.knowledge.joined(a.peer);
  }

  part(a: Neighbour, b: Neighbour): void {
    a.links.delete(b.id);
    b.links.delete(a.id);
    a.knowledge.left(b.peer);
    b.knowledge.left(a.peer);
  }

  /** Moves time with the loops of all nodes. */
  async run(ms: number, stepMs = 5_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(left, stepMs));
      for (const { knowledge } of this.#neighbours.values()) {
        const { signal } = new AbortController();
        knowledge.loops['routing-diff'].run(signal);
        knowledge.loops['list-ages'].run(signal);
      }
    }
    await this.clock.advance(1_000);
  }

  lists(): (Sent & { body: NodeLists })[] {
    return this.sent.filter(({ name }) => name === nodeListUpdate.name) as (Sent & { body: NodeLists })[];
  }

  questions(): Sent[] {
    return this.sent.filter(({ name }) => name === addressRequest.name);
  }
}

export class Neighbour {
  readonly net: Neighbourhood;
  readonly id: NodeId;
  readonly addr: string;
  readonly links = new Map<NodeId, Neighbour>();
  /** Its peers table. */
  readonly book = new Map<NodeId, string[]>();
  readonly heldOff = new Set<NodeId>();
  readonly #purposes = new DialPurposes();
  readonly #budget: DialBudget;
  readonly #points: Points;
  #shares = 0;
  readonly counters = createCounters().of('mesh');
  readonly learned: NodeId[] = [];
  readonly features: ReadonlySet<string>;
  readonly knowledge: RoutingTable;
  readonly addresses: AddressService;
  readonly lookup: PeerLookup;
  /** Replaces what it answers to AddressRequest: a liar. */
  lie: ((question: AddressQuestion) => AddressAnswer) | undefined;

  constructor(net: Neighbourhood, name: string, packed: boolean, addr: string) {
    this.net = net;
    this.id = nodeIds(name, 1)[0] as NodeId;
    this.addr = addr;
    this.features = new Set([nodeListUpdate.name, ...(packed ? [PACKED_IDS] : [])]);
    this.#budget = new DialBudget(net.clock);
    this.#points = new Points(net.clock, recordingLog());
    const context = this.#context(name);
    this.knowledge = new RoutingTable(context, {
      peers: () => [...this.links.values()].map((other) => this.#view(other)),
      peer: (nodeId) => {
        const other = this.links.get(nodeId);
        return other && this.#view(other);
      },
      isConnected: (nodeId) => this.links.has(nodeId),
    });
    const world: LookupWorld = {
      routing: this.knowledge,
      steps: () => this.#points.contributions(LOOKUP_STEP),
      isPeer: (nodeId) => this.links.has(nodeId),
      refusal: (nodeId) => (this.heldOff.has(nodeId) ? 'held-off' : undefined),
      remoteAddr: (nodeId) => this.links.get(nodeId)?.addr,
      addresses: (nodeId) => this.links.get(nodeId)?.known() ?? this.book.get(nodeId) ?? [],
      connect: ({ nodeId, told, purpose, signal }) => this.#reach(nodeId, told?.addresses ?? [], purpose, signal),
      connectKnown: async (nodeId, { purpose, signal, except }) => {
        if (this.links.has(nodeId)) return;
        const known = world.addresses(nodeId).filter((address) => except?.has(address) !== true);
        await this.#reach(nodeId, known, purpose, signal);
      },
      during: (nodeId, _signal, work) => this.#purposes.during(nodeId, LOOKUP_PURPOSE, work),
      leave: (nodeId) => {
        const other = this.links.get(nodeId);
        if (other !== undefined && this.#purposes.of(nodeId).length === 0) net.part(this, other);
      },
    };
    this.addresses = new AddressService(context, world);
    this.lookup = new PeerLookup(context, world, this.addresses);
    this.contribute('lookup', ...knownSteps(world, this.addresses));
  }

  /** Has a plugin contribute something; returns what switches the plugin off. */
  contribute(plugin: string, ...contributes: readonly Contributed[]): () => void {
    const gate = new CallGate(plugin);
    gate.open();
    this.#points.install({ plugin, gate, call: (code) => code(), reportFailure: () => {} }, [], contributes);
    return () => void this.#points.withdraw(plugin);
  }

  /** Has a plugin name members of this node's N1; returns what switches it off. */
  shareN1(source: N1Source): () => void {
    const undo = this.contribute(`n1-${++this.#shares}`, contribute(N1_SHARE, source));
    this.knowledge.n1Changed();
    return () => {
      undo();
      this.knowledge.n1Changed();
    };
  }

  /** Adds a step in the place that the shipped one of this name has; returns what takes it away. */
  offer(name: string, step: LookupStep): () => void {
    return this.contribute(`step-${name}`, contribute(LOOKUP_STEP, step, { name, ...PLACES[name] }));
  }

  get peer(): PeerId {
    return peerOf(this.id);
  }

  /** Its addresses as a peer knows them. */
  known(): string[] {
    return [this.addr];
  }

  async #reach(
    nodeId: NodeId,
    addresses: readonly string[],
    purpose: string,
    signal: AbortSignal | undefined,
  ): Promise<Neighbour> {
    const charged = this.#budget.charge(addresses);
    if (charged.length === 0) throw new ItsgoinError('mesh/over-budget', { message: 'dialled too often' });
    const dial = () => this.#dial(nodeId, charged, signal ?? new AbortController().signal);
    const reached = await this.#purposes.during(nodeId, purpose, dial);
    if (charged.includes(reached.addr)) this.#budget.refund(reached.addr);
    return reached;
  }

  async #dial(nodeId: NodeId, addresses: readonly string[], signal: AbortSignal): Promise<Neighbour> {
    for (const address of addresses) {
      this.net.dials.push({ from: this.id, address });
      if (!this.#purposes.of(nodeId).some((purpose) => SLOT_PURPOSES.has(purpose))) this.net.sessions.push(address);
      const other = this.net.get(nodeId);
      if (other?.addr !== address) continue;
      await this.net.clock.sleep(LATENCY_MS, signal);
      await this.net.join(this, other);
      return other;
    }
    await this.net.clock.sleep(15_000, signal);
    throw new ItsgoinError('transport/dial-timeout', { message: 'nobody answered' });
  }

  #view(other: Neighbour): RoutingPeer {
    return { peer: other.peer, features: [...other.features], routes: true };
  }

  #context(name: string) {
    const { clock } = this.net;
    const { signal } = new AbortController();
    const send = async (to: NodeId | PeerId, message: AnyMessage, body: object, options: { signal?: AbortSignal }) => {
      const nodeId = typeof to === 'string' ? to : to.nodeId;
      const sent = { from: this.id, to: nodeId, name: message.name, body, atMs: clock.now() };
      this.net.sent.push(sent);
      const lost = this.net.loses(sent);
      await clock.sleep(LATENCY_MS, options.signal);
      const other = this.links.get(nodeId);
      if (other === undefined) throw new ItsgoinError('wire/not-connected', { message: 'gone' });
      if (lost) return undefined;
      const copy = JSON.parse(JSON.stringify(body));
      if (message.name === nodeListUpdate.name) return other.knowledge.receive(copy, { peer: this.peer });
      if (other.lie !== undefined) return other.lie(copy);
      return other.addresses.answer(copy, { peer: this.peer, signal });
    };
    const ctx = {
      self: this.peer,
      clock,
      signal,
      random: seededRandom(name),
      counters: this.counters,
      log: recordingLog(),
      send,
      contributions: (point: Point<unknown>) => this.#points.contributions(point),
      emit: (_topic: unknown, { reporter }: { reporter: NodeId }) => void this.learned.push(reporter),
      background: (_what: string, work: Promise<unknown>) => void work.catch(() => {}),
    };
    const network = { mayDial: (address: string, from: string) => isDialable(address, from, ['203.0.113.0/24']) };
    return { ctx, network } as never as RoutingContext & LookupContext;
  }
}
