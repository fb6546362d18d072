import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { ItsgoinError } from '../../kernel/index.ts';
import type { AnyMessage, Network, NodeId, PeerId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { isDialable } from '../../kernel/transport/address.ts';
import type { MeshContext } from '../../plugins/mesh/context.ts';
import type { KnowledgePeer } from '../../plugins/mesh/knowledge/contract.ts';
import { Knowledge } from '../../plugins/mesh/knowledge/knowledge.ts';
import { nodeListUpdate, PACKED_IDS } from '../../plugins/mesh/knowledge/messages.ts';
import type { NodeLists } from '../../plugins/mesh/knowledge/messages.ts';
import { AddressService } from '../../plugins/mesh/resolve/address-service.ts';
import { SLOT_PURPOSES } from '../../plugins/mesh/api.ts';
import type { ConnectRequest } from '../../plugins/mesh/api.ts';
import { DialPurposes } from '../../plugins/mesh/dial-purposes.ts';

import { Cascade } from '../../plugins/mesh/resolve/cascade.ts';
import { DialBudget } from '../../plugins/mesh/dial-budget.ts';
import type { StepCall } from '../../plugins/mesh/resolve/contract.ts';
import { addressRequest } from '../../plugins/mesh/resolve/messages.ts';
import type { AddressAnswer, AddressQuestion } from '../../plugins/mesh/resolve/messages.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { nodeIds, peerOf } from './ids.ts';

const LATENCY_MS = 20;

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

  /** Connects two nodes with an exchange of their sections both ways. */
  async join(a: Neighbour, b: Neighbour): Promise<void> {
    const [ofA, ofB] = [a.knowledge.section.collect(b.peer), b.knowledge.section.collect(a.peer)];
    if (ofA !== undefined) await b.knowledge.section.receive(a.peer, JSON.parse(JSON.stringify(ofA)));
    if (ofB !== undefined) await a.knowledge.section.receive(b.peer, JSON.parse(JSON.stringify(ofB)));
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
  readonly counters = createCounters().of('mesh');
  readonly learned: NodeId[] = [];
  readonly features: ReadonlySet<string>;
  readonly knowledge: Knowledge;
  readonly addresses: AddressService<Neighbour>;
  readonly cascade: Cascade<Neighbour>;
  /** Replaces what it answers to AddressRequest: a liar. */
  lie: ((question: AddressQuestion) => AddressAnswer) | undefined;

  constructor(net: Neighbourhood, name: string, packed: boolean, addr: string) {
    this.net = net;
    this.id = nodeIds(name, 1)[0] as NodeId;
    this.addr = addr;
    this.features = new Set([nodeListUpdate.name, ...(packed ? [PACKED_IDS] : [])]);
    this.#budget = new DialBudget(net.clock);
    const mesh = this.#mesh(name);
    this.knowledge = new Knowledge(mesh, {
      peers: () => [...this.links.values()].map((other) => this.#view(other)),
      peer: (nodeId) => {
        const other = this.links.get(nodeId);
        return other && this.#view(other);
      },
      isConnected: (nodeId) => this.links.has(nodeId),
      learned: (reporter) => void this.learned.push(reporter),
    });
    const host = {
      knowledge: this.knowledge,
      refusal: (nodeId: NodeId) => (this.heldOff.has(nodeId) ? ('held-off' as const) : undefined),
      connected: (nodeId: NodeId) => this.links.get(nodeId),
      remoteAddr: (nodeId: NodeId) => this.links.get(nodeId)?.addr,
      addresses: (nodeId: NodeId) => this.links.get(nodeId)?.known() ?? this.book.get(nodeId) ?? [],
      connect: ({ nodeId, told, purpose, signal }: ConnectRequest) =>
        this.#reach(nodeId, told?.addresses ?? [], purpose, signal),
      connectKnown: (nodeId: NodeId, { purpose, signal, except }: StepCall & { except: ReadonlySet<string> }) => {
        const known = host.addresses(nodeId).filter((address) => !except.has(address));
        return this.#reach(nodeId, known, purpose, signal);
      },
      asSession: <R>(nodeId: NodeId, work: () => Promise<R>) => this.#purposes.during(nodeId, 'lookup', work),
      leave: (nodeId: NodeId) => {
        const other = this.links.get(nodeId);
        if (other !== undefined && this.#purposes.of(nodeId).length === 0) net.part(this, other);
      },
      whenConnected: async (nodeId: NodeId, signal: AbortSignal) => {
        await net.clock.sleep(1, signal);
        return this.links.get(nodeId) as Neighbour;
      },
    };
    this.addresses = new AddressService(mesh, host);
    this.cascade = new Cascade(mesh, host, this.addresses);
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

  #view(other: Neighbour): KnowledgePeer {
    return { peer: other.peer, features: [...other.features], routes: true };
  }

  #mesh(name: string): MeshContext {
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
      background: (_what: string, work: Promise<unknown>) => void work.catch(() => {}),
    };
    const network = { mayDial: (address: string, from: string) => isDialable(address, from, ['203.0.113.0/24']) };
    return {
      ctx: ctx as unknown as MeshContext['ctx'],
      network: network as unknown as Network,
    };
  }
}
