import { BoundedMap, codeOf, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { BodyOf, ContextBase, Network, NodeId, RecordRefusal, ResponseOf, Static } from '../../kernel/index.ts';
import { addressRecords } from './address-record.ts';
import type { AddressRecord } from './address-record.ts';
import { presenceErrors } from './errors.ts';
import { socialAddressUpdate, socialDisconnectNotice } from './messages.ts';
import type { socialCheckin } from './messages.ts';
import type { OwnAddress } from './own-address.ts';
import type { Route, Routes } from './routes.ts';
import type { Watch, Watchers } from './watchers.ts';

/** Records of nodes that are no contacts, for those who ask us; beyond it the one received longest ago goes. */
const RECORDS_MAX = 2_000;
/** Whom we ask about one contact: those it named in its N+10. The first of them is forgotten beyond it. */
const TELLERS_OF_ONE_MAX = 11;
/** Contacts whose presence somebody told us; beyond it the oldest word is forgotten. */
const TELLERS_MAX = 4_000;

/** Whom we asked about one contact. */
export const Tellers = Type.Object({ about: NodeIdSchema, tellers: Type.Array(NodeIdSchema) });
export type Tellers = Static<typeof Tellers>;

/** Refusals that no honest peer earns: it would have found out before it passed the record on. */
const FORGERIES: ReadonlySet<RecordRefusal> = new Set(['forged', 'bad-certificate']);

interface PresenceDeps {
  readonly ctx: ContextBase;
  readonly network: Network;
  readonly routes: Routes;
  readonly watchers: Watchers;
  readonly own: OwnAddress;
  /** A connected device of the node takes messages of this name. */
  takes(nodeId: NodeId, message: string): boolean;
  isPeer(nodeId: NodeId): boolean;
  /** What is known of a contact has changed. */
  changed(nodeId: NodeId): void;
  /** Somebody is connected to a contact that we are not connected to. */
  seenElsewhere(nodeId: NodeId): void;
}

/**
 * What nodes sign of their own addresses, who wants to know of whom, and what that makes us say and
 * believe. A record counts by its signature; "online" is the word of a peer we asked, and no more.
 */
export class Presence {
  readonly #deps: PresenceDeps;
  /** Newest records of connected and former peers. */
  readonly #records = new BoundedMap<NodeId, AddressRecord>(RECORDS_MAX);
  /** Whom we asked about a contact, and so believe when it says that the contact left. */
  readonly #tellers = new BoundedMap<NodeId, Set<NodeId>>(TELLERS_MAX);

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  /** Whom we asked about whom, for the next generation: their word counts there as well. */
  tellers(): readonly Tellers[] {
    return [...this.#tellers].map(([about, tellers]) => ({ about, tellers: [...tellers] }));
  }

  restoreTellers(all: readonly Tellers[]): void {
    for (const { about, tellers } of all) for (const teller of tellers) this.#trust(about, teller);
  }

  /**
   * Takes a record that `from` sent. Says whether it is about `from` itself or about a contact.
   *
   * @throws presence/bad-address-record, presence/forged-address-record
   */
  learn(body: AddressRecord, from: NodeId): boolean {
    const { ctx, routes } = this.#deps;
    const about = body.node_id;
    const known = this.#recordOf(about);
    const route = routes.get(about);
    if (about !== from && route === undefined) {
      ctx.counters.add('address-records-unwanted');
      return false;
    }
    if (known?.signature === body.signature) return true;
    const read = addressRecords.verify(body, { nowMs: ctx.clock.now() });
    if ('refused' in read) {
      ctx.counters.add(`address-records-refused.${read.refused}`);
      if (FORGERIES.has(read.refused)) throw presenceErrors.make('forged-address-record');
      throw presenceErrors.make('bad-address-record', { reason: read.refused });
    }
    // An old record proves its signature as well as a new one, so who passes one on cannot turn time back.
    if (about !== from && (known?.timestamp_ms ?? 0) >= read.record.timestamp_ms) {
      ctx.counters.add('address-records-old');
      return true;
    }
    this.#records.set(about, read.record);
    ctx.counters.add('address-records-stored');
    if (route !== undefined) this.#store(route, read.record, from);
    return true;
  }

  /** A node has become a contact: what it signed of itself before it was one is kept from now on. */
  adopt(nodeId: NodeId): void {
    const record = this.#records.get(nodeId);
    const route = this.#deps.routes.get(nodeId);
    if (record !== undefined && route !== undefined && route.record === undefined) this.#store(route, record, nodeId);
  }

  /** Who prefers a contact, as it says itself; only hints for who looks for it. */
  learnTree(from: NodeId, tree: readonly NodeId[]): void {
    const ids = [...new Set(tree)].filter((id) => id !== from);
    const known = this.#deps.routes.get(from)?.preferredTree;
    if (known !== undefined && known.join() !== ids.join()) this.#deps.routes.setPreferredTree(from, ids);
  }

  /** Answers a check-in's questions. The asker becomes a watcher of each. */
  answer(asks: readonly NodeId[], asker: NodeId): ResponseOf<typeof socialCheckin>['answers'] {
    const { ctx, watchers } = this.#deps;
    const targets = [...new Set(asks)].filter((id) => id !== asker && id !== ctx.self.nodeId);
    return targets.map((node_id) => {
      const online = this.#deps.isPeer(node_id);
      const record = this.#recordOf(node_id);
      // Ids that were never here may be invented: nothing is kept for them.
      if (record === undefined && !online) ctx.counters.add('watches-of-strangers');
      else if (!watchers.register(node_id, asker, online, ctx.clock.now())) ctx.counters.add('watches-full');
      return { node_id, online, ...(record === undefined ? {} : { record }) };
    });
  }

  /** Remembers whom we asked about whom, and takes the answer. */
  heard(answer: ResponseOf<typeof socialCheckin>['answers'][number], from: NodeId): void {
    const about = answer.node_id;
    this.#trust(about, from);
    if (answer.record !== undefined) {
      if (answer.record.node_id !== about) throw presenceErrors.make('bad-address-record', { reason: 'another node' });
      this.learn(answer.record, from);
    }
    if (answer.online) this.#onlineAt(about);
  }

  /** 0x70. @throws presence/bad-address-record, presence/forged-address-record */
  updated({ record, online }: BodyOf<typeof socialAddressUpdate>, from: NodeId): void {
    const about = record.node_id;
    if (this.learn(record, from) && online && about !== from && this.#isTeller(about, from)) this.#onlineAt(about);
  }

  /** 0x71: believed from those we asked, of contacts we do not see ourselves. */
  left(about: NodeId, from: NodeId): void {
    const { ctx, routes } = this.#deps;
    if (!this.#isTeller(about, from)) ctx.counters.add('disconnect-notices-unasked');
    else if (routes.offlineElsewhere(about)) this.#deps.changed(about);
  }

  /** A node has connected: its watchers hear of it, and it hears of those it watches. */
  async came(nodeId: NodeId): Promise<void> {
    const { ctx, watchers } = this.#deps;
    const now = ctx.clock.now();
    const here = (other: NodeId): boolean => this.#deps.isPeer(other);
    await this.#report([...watchers.takeReturn(nodeId, now, here), ...watchers.takeReturnsFor(nodeId, now, here)]);
  }

  /** A node's last connection has ended. */
  async went(nodeId: NodeId): Promise<void> {
    const { ctx, watchers } = this.#deps;
    const told = watchers.takeDeparture(nodeId, ctx.clock.now(), (watcher) => this.#deps.isPeer(watcher));
    await Promise.all(
      told.map(({ target, watcher }) => this.#tell(watcher, socialDisconnectNotice, { node_id: target })),
    );
  }

  /** For watchers who have waited for more than a week. To be called once a day. */
  async daily(): Promise<void> {
    const { ctx, watchers } = this.#deps;
    await this.#report(watchers.takeDaily(ctx.clock.now(), (nodeId) => this.#deps.isPeer(nodeId)));
  }

  /** The user's own record has changed: connected contacts hear of it (SOC-03). */
  async announceOwn(contacts: readonly NodeId[]): Promise<void> {
    const body = { record: this.#deps.own.current(), online: true };
    await Promise.all(contacts.map((nodeId) => this.#tell(nodeId, socialAddressUpdate, body)));
  }

  async #report(watches: readonly Watch[]): Promise<void> {
    const telling = watches.map(async ({ target, watcher }) => {
      const record = this.#recordOf(target);
      if (record !== undefined) await this.#tell(watcher, socialAddressUpdate, { record, online: true });
    });
    await Promise.all(telling);
  }

  async #tell<M extends typeof socialAddressUpdate | typeof socialDisconnectNotice>(
    nodeId: NodeId,
    message: M,
    body: BodyOf<M>,
  ): Promise<void> {
    const { ctx } = this.#deps;
    if (!this.#deps.takes(nodeId, message.name)) return;
    try {
      await ctx.send(nodeId, message, body, { signal: ctx.signal });
      ctx.counters.add(`${message.name}-sent`);
    } catch (error) {
      if (!ctx.signal.aborted) ctx.counters.add(`${message.name}-failed.${codeOf(error)}`);
    }
  }

  #store(route: Route, record: AddressRecord, from: NodeId): void {
    const { network, routes } = this.#deps;
    const toldFrom = network.connectionsOf(from)[0]?.remoteAddr ?? '';
    const addresses = record.addresses.filter((address) => network.mayDial(address, toldFrom));
    routes.setRecord(route.nodeId, record, addresses);
    this.#deps.changed(route.nodeId);
  }

  #onlineAt(about: NodeId): void {
    if (this.#deps.isPeer(about)) return;
    if (this.#deps.routes.onlineElsewhere(about)) this.#deps.changed(about);
    this.#deps.seenElsewhere(about);
  }

  #trust(about: NodeId, teller: NodeId): void {
    const tellers = (this.#tellers.get(about) ?? new Set<NodeId>()).add(teller);
    for (const oldest of tellers) {
      if (tellers.size <= TELLERS_OF_ONE_MAX) break;
      tellers.delete(oldest);
    }
    this.#tellers.set(about, tellers);
  }

  #isTeller(about: NodeId, from: NodeId): boolean {
    return this.#tellers.get(about)?.has(from) === true;
  }

  #recordOf(nodeId: NodeId): AddressRecord | undefined {
    return this.#records.get(nodeId) ?? this.#deps.routes.get(nodeId)?.record;
  }
}
