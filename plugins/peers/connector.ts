import { codeOf, lifecycleCode, linkSignals, untilAborted, placeOf } from '../../kernel/index.ts';
import type { LinkedSignal, NodeId } from '../../kernel/index.ts';
import { PEER_FINDER, UNDIALLED } from './api.ts';
import type { ConnectRequest, DialLimits, Told } from './api.ts';
import { formatConnectString } from './connect-string.ts';
import type { PeersContext } from './context.ts';
import type { DialBudget } from './dial-budget.ts';
import type { DialPurposes } from './dial-purposes.ts';
import { peersErrors } from './errors.ts';
import type { History } from './history.ts';
import { ADDRESSES_KEPT } from './peer-store.ts';
import type { PeerStore } from './peer-store.ts';
import type { PeerSession, PeerSessions } from './sessions.ts';

/** Dial limit of the transport (15 s) for two addresses, plus the handshake with its repeats. */
const REACH_LIMIT_MS = 45_000;
/** Dials under way at once; those of a search (202) and of everything else fit. */
export const DIALS_MAX = 512;
/** All steps of a search, with their dials and visits. */
const FIND_LIMIT_MS = 95_000;
/** Told addresses that are looked at; of those that may be dialled the first few are. */
const TOLD_MAX = 32;

/** One dial with its handshake, and how many wait for it. */
interface Dial {
  readonly nodeId: NodeId;
  readonly promise: Promise<PeerSession>;
  readonly own: LinkedSignal;
  waiting: number;
}

interface ConnectorParts {
  readonly sessions: PeerSessions;
  readonly store: PeerStore;
  readonly history: History;
  readonly budget: DialBudget;
  readonly purposes: DialPurposes;
  /** A dial to this node has ended. */
  dialled(nodeId: NodeId): void;
}

/** How the node at hand is dialled, once it is known that it is not here. */
interface Plan {
  readonly addresses: readonly string[];
  /** Those of them that the budget was charged for. */
  readonly charged: readonly string[];
  readonly limits?: DialLimits | undefined;
}

/**
 * The one way to a peer: whether an address that somebody told may be dialled, what that costs, whether
 * the handshake asks for a slot, and how long all of it may take.
 */
export class Connector {
  readonly #peers: PeersContext;
  readonly #parts: ConnectorParts;
  /** Under way by their connect string. */
  readonly #dials = new Map<string, Dial>();

  constructor(peers: PeersContext, parts: ConnectorParts) {
    this.#peers = peers;
    this.#parts = parts;
  }

  get dialling(): number {
    return this.#dials.size;
  }

  isDialling(nodeId: NodeId): boolean {
    for (const dial of this.#dials.values()) if (dial.nodeId === nodeId) return true;
    return false;
  }

  /** See `PeersService.connect`. */
  async connect(request: ConnectRequest): Promise<PeerSession> {
    const { nodeId, at, told, purpose, signal, search = at === undefined && told === undefined } = request;
    if (at !== undefined || told !== undefined) {
      try {
        return await this.#connectAt(request);
      } catch (error) {
        if (search === false || !UNDIALLED.has(codeOf(error))) throw error;
      }
    }
    return this.#parts.purposes.during(nodeId, purpose, () => this.#find(nodeId, purpose, signal, search));
  }

  /** Without anybody who finds nodes one is looked for where it was. */
  async #find(
    nodeId: NodeId,
    purpose: string,
    signal: AbortSignal | undefined,
    search: boolean | readonly string[],
  ): Promise<PeerSession> {
    const { ctx } = this.#peers;
    const [ready] = this.#parts.sessions.readyOf(nodeId);
    if (ready !== undefined) return ready;
    const [finder] = ctx.contributions(PEER_FINDER);
    const heard = signal === undefined ? {} : { signal };
    if (finder === undefined) return this.connectKnown(nodeId, { purpose, ...heard });
    const steps = typeof search === 'boolean' ? {} : { steps: search };
    await finder.use((implementation, own) => implementation.find(nodeId, { purpose, signal: own, ...steps }), {
      restart: true,
      limitMs: FIND_LIMIT_MS,
      ...heard,
    });
    const [found] = this.#parts.sessions.readyOf(nodeId);
    if (found === undefined) throw peersErrors.make('exchange-failed', { reason: 'the connection ended at once' });
    return found;
  }

  #connectAt({ nodeId, at = [], told, purpose, signal }: ConnectRequest): Promise<PeerSession> {
    return this.#reach(nodeId, purpose, signal, () => {
      const dialable = told === undefined ? at : this.dialable(told);
      if (dialable.length === 0) throw peersErrors.make('not-dialable', { node_id: nodeId });
      if (told === undefined) return { addresses: at, charged: [] };
      const charged = this.#charge(nodeId, dialable, told.limits);
      return { addresses: charged, charged, limits: told.limits };
    });
  }

  /**
   * Dials where the node was before, and what it said of itself then. Where it was proved to be is its own
   * address and costs nothing. `except` was tried in vain.
   *
   * @throws mesh/own-node, mesh/not-dialable, mesh/over-budget, mesh/busy, mesh/exchange-failed,
   *   transport/*, clock/deadline, the signal's reason
   */
  connectKnown(
    nodeId: NodeId,
    { purpose, signal, except }: Pick<ConnectRequest, 'purpose' | 'signal'> & { readonly except?: ReadonlySet<string> },
  ): Promise<PeerSession> {
    return this.#reach(nodeId, purpose, signal, () => {
      const { addresses = [], provedAddress } = this.#parts.store.get(nodeId) ?? {};
      const fresh = addresses.filter((address) => except?.has(address) !== true);
      if (fresh.length === 0) throw peersErrors.make('not-dialable', { node_id: nodeId });
      const unproved = fresh.filter((address) => address !== provedAddress);
      const isProved = unproved.length < fresh.length;
      const charged = isProved ? this.#parts.budget.charge(unproved) : this.#charge(nodeId, unproved);
      return {
        addresses: fresh.filter((address) => !unproved.includes(address) || charged.includes(address)),
        charged,
      };
    });
  }

  /** Those of the told addresses that may be dialled on this word, each once. */
  dialable({ addresses, by, seenAt }: Told): readonly string[] {
    const { network } = this.#peers;
    // In one spelling: in several, one address would be dialled, and paid for, several times. Nobody can tell us a zone of ours.
    const places = addresses.slice(0, TOLD_MAX).map((address) => placeOf(address).address);
    const told = [...new Set(places)].filter((address) => !address.includes('%'));
    if (by === network.self.nodeId) return told.slice(0, ADDRESSES_KEPT);
    // Of a teller who is not here any more only public addresses are believed.
    const from = seenAt ?? network.connectionsOf(by).at(-1)?.remoteAddr ?? '';
    return told.filter((address) => network.mayDial(address, from)).slice(0, ADDRESSES_KEPT);
  }

  /** A connected node, with no purpose of ours, for which a connection that is on its way is waited for. */
  async #reach(
    nodeId: NodeId,
    purpose: string,
    signal: AbortSignal | undefined,
    plan: () => Plan,
  ): Promise<PeerSession> {
    const { sessions, purposes } = this.#parts;
    if (nodeId === this.#peers.network.self.nodeId) throw peersErrors.make('own-node');
    signal?.throwIfAborted();
    const [ready] = sessions.readyOf(nodeId);
    if (ready !== undefined) return ready;
    return purposes.during(nodeId, purpose, () => {
      const isHere = this.#peers.network.connectionsOf(nodeId).length > 0;
      // A node that is here is dialled no more: nothing is charged, and its handshake is waited for.
      return this.#dial(nodeId, isHere ? { addresses: [], charged: [] } : plan(), purpose, signal);
    });
  }

  async #dial(
    nodeId: NodeId,
    { addresses, charged, limits }: Plan,
    purpose: string,
    signal: AbortSignal | undefined,
  ): Promise<PeerSession> {
    const { budget } = this.#parts;
    const key = formatConnectString(nodeId, addresses);
    const dial = this.#dials.get(key) ?? this.#start(key, nodeId, addresses, purpose);
    dial.waiting++;
    try {
      const session = await untilAborted(dial.promise, signal);
      const reachedAt = this.#peers.network.connection(session.connectionId)?.remoteAddr;
      // It may have come by itself from another address than those dialled.
      const reached = charged.find((address) => reachedAt !== undefined && isSamePlace(address, reachedAt));
      if (reached !== undefined) budget.refund(reached, limits);
      return session;
    } catch (error) {
      if (isCalledOff(signal)) for (const address of charged) budget.refund(address, limits);
      throw error;
    } finally {
      dial.waiting--;
      if (dial.waiting === 0 && this.#dials.get(key) === dial) dial.own.abort(signal?.reason);
    }
  }

  #start(key: string, nodeId: NodeId, addresses: readonly string[], purpose: string): Dial {
    const { ctx } = this.#peers;
    if (this.#dials.size >= DIALS_MAX) throw peersErrors.make('busy');
    const own = linkSignals([ctx.signal], { deadlineMs: REACH_LIMIT_MS, clock: ctx.clock });
    const promise = this.#run(nodeId, addresses, purpose, own.signal).finally(() => {
      own.dispose();
      this.#dials.delete(key);
      this.#parts.dialled(nodeId);
    });
    // All who waited may have left before it ends.
    promise.catch(() => {});
    const dial = { nodeId, promise, own, waiting: 0 };
    this.#dials.set(key, dial);
    return dial;
  }

  async #run(nodeId: NodeId, addresses: readonly string[], rule: string, signal: AbortSignal): Promise<PeerSession> {
    const { ctx, network } = this.#peers;
    const startedMs = ctx.clock.now();
    const note = (result: string): void => {
      const took_ms = ctx.clock.now() - startedMs;
      this.#parts.history.attempted(nodeId, { at_ms: startedMs, took_ms, rule, addresses: [...addresses], result });
      ctx.counters.add(result === 'connected' ? 'dials-succeeded' : `dials-failed.${result}`);
    };
    try {
      ctx.counters.add('dials');
      const connection = await network.dial({ nodeId, addresses }, { signal });
      const session = await this.#parts.sessions.whenReady(connection.id, signal);
      note('connected');
      return session;
    } catch (error) {
      note(codeOf(error));
      throw error;
    }
  }

  /** @throws mesh/over-budget */
  #charge(nodeId: NodeId, addresses: readonly string[], limits?: DialLimits): readonly string[] {
    const charged = this.#parts.budget.charge(addresses, limits);
    if (charged.length < addresses.length) {
      this.#peers.ctx.counters.add('told-dials-over-budget', addresses.length - charged.length);
    }
    if (charged.length === 0) throw peersErrors.make('over-budget', { node_id: nodeId });
    return charged;
  }
}

function isSamePlace(one: string, other: string): boolean {
  return placeOf(one).address === placeOf(other).address;
}

/** Needless, or begun again after a swap, which pays for it then. */
function isCalledOff(signal: AbortSignal | undefined): boolean {
  if (signal?.aborted !== true) return false;
  const code = codeOf(signal.reason);
  return code === peersErrors.code('called-off') || code === lifecycleCode('swap-aborted-call');
}
