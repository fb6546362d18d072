import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { LinkedSignal, NodeId } from '../../kernel/index.ts';
import { callOff } from '../peers/api.ts';
import type { WormTarget } from './api.ts';
import type { WormContext } from './context.ts';
import type { Cooldown } from './cooldown.ts';
import type { HolderReputation } from './holder-reputation.ts';
import { answerOf } from './finding.ts';
import type { Finding, Referral, WormQuery } from './finding.ts';
import type { Holdings } from './holdings.ts';
import type { LocalIndex } from './local-index.ts';
import type { Neighbours } from './neighbours.ts';
import { wormQuery } from './messages.ts';
import { runSearch, type SearchOutcome } from './search.ts';
import type { SearchWorld } from './search-world.ts';
import type { Seen } from './seen.ts';

/** Kinds of connections that are nobody's to keep. */
const BRIEF: ReadonlySet<string> = new Set(['ephemeral', 'session']);

export interface SearchDeps {
  readonly ctx: WormContext;
  readonly home: LocalIndex;
  readonly neighbours: Neighbours;
  readonly holdings: Holdings;
  readonly seen: Seen;
  readonly cooldown: Cooldown;
  readonly distrust: HolderReputation;
}

/** How many referred nodes may be asked at once is for all searches together. */
export interface NovaRoom {
  takeNova(): boolean;
  novaEnded(): void;
}

/** What the searching node knows at the start, and whom it asks. */
export interface SearchStart {
  readonly known: readonly Finding[];
  readonly peers: readonly NodeId[];
}

/** One search over the wire. */
export class SearchRun implements SearchWorld<NodeId, Finding, Referral> {
  readonly clock;
  readonly random;
  dials = 0;
  readonly #deps: SearchDeps;
  readonly #target: WormTarget;
  readonly #query: WormQuery;
  readonly #start: SearchStart;
  readonly #room: NovaRoom;
  /** Ends with the search, so that nothing of it goes on. */
  readonly #work: LinkedSignal;
  /** Connections made for this search alone, closed with it (MESH-07). */
  readonly #dialled = new Set<NodeId>();
  #kept: NodeId | undefined;

  constructor(
    deps: SearchDeps,
    target: WormTarget,
    query: WormQuery,
    start: SearchStart,
    signal: AbortSignal,
    room: NovaRoom,
  ) {
    this.clock = deps.ctx.clock;
    this.random = deps.ctx.random;
    this.#deps = deps;
    this.#target = target;
    this.#query = query;
    this.#start = start;
    this.#room = room;
    this.#work = linkSignals([signal]);
  }

  run(): Promise<SearchOutcome<Finding>> {
    const { signal } = this.#work;
    return new Promise<SearchOutcome<Finding>>((resolve, reject) => {
      let cancel = (): void => {};
      const onAbort = (): void => {
        cancel();
        reject(signal.reason);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      cancel = runSearch(this, (outcome) => {
        signal.removeEventListener('abort', onAbort);
        this.#kept = outcome.finding?.holder;
        resolve(outcome);
      });
    }).finally(() => {
      // What goes on when the search has succeeded has not failed.
      this.#work.abort(this.#kept === undefined ? undefined : callOff());
      this.#hangUp();
    });
  }

  local(): readonly Finding[] {
    return this.#start.known;
  }

  peers(): readonly NodeId[] {
    return this.#start.peers;
  }

  ask(peer: NodeId, limitMs: number, reply: (answer: ReturnType<typeof answerOf> | undefined) => void): void {
    this.#send(peer, { ...this.#query, refer: true }, limitMs).then(reply, () => reply(undefined));
  }

  findingKey({ kind, holder, addresses }: Finding): unknown {
    return `${kind} ${holder} ${addresses.join()}`;
  }

  referralKey({ id }: Referral): unknown {
    return id;
  }

  nova(referral: Referral, limitMs: number, reply: (answer: ReturnType<typeof answerOf> | undefined) => void): boolean {
    const { id } = referral;
    if (id === this.#deps.ctx.self.nodeId || this.#start.peers.includes(id)) return false;
    if (!this.#room.takeNova()) return false;
    this.#askReferred(referral, limitMs)
      .then(reply, () => reply(undefined))
      .finally(() => this.#room.novaEnded());
    return true;
  }

  verify(finding: Finding, limitMs: number, done: (proven: boolean) => void): void {
    const { ctx, distrust } = this.#deps;
    this.#prove(finding, limitMs).then(
      (proven) => {
        if (proven) distrust.kept(finding.toldBy);
        else distrust.broke(finding.toldBy, ctx.clock.monotonic());
        done(proven);
      },
      (error) => {
        ctx.counters.add(`finding-refuted.${codeOf(error)}`);
        if (!this.#work.signal.aborted) distrust.broke(finding.toldBy, ctx.clock.monotonic());
        done(false);
      },
    );
  }

  distrust({ toldBy }: Finding): number {
    return this.#deps.distrust.of(toldBy, this.clock.monotonic());
  }

  async #askReferred(
    { id, addresses, toldBy }: Referral,
    limitMs: number,
  ): Promise<ReturnType<typeof answerOf> | undefined> {
    const startMs = this.clock.monotonic();
    if (!(await this.#connect(id, addresses, toldBy, limitMs))) return undefined;
    const leftMs = limitMs - (this.clock.monotonic() - startMs);
    if (leftMs <= 0) return undefined;
    return this.#send(id, { ...this.#query, ttl: 1 }, leftMs);
  }

  /** A node is proven by its handshake, content by its bytes. */
  async #prove({ kind, holder, addresses, toldBy }: Finding, limitMs: number): Promise<boolean> {
    const { ctx, holdings } = this.#deps;
    if (holder === ctx.self.nodeId) return false;
    if (!(await this.#connect(holder, addresses, toldBy, limitMs))) return false;
    if (kind === 'node') return true;
    const limited = linkSignals([this.#work.signal], { deadlineMs: limitMs, clock: ctx.clock });
    try {
      return await holdings.fetch(kind, this.#target.id, holder, limited.signal);
    } finally {
      limited.dispose();
    }
  }

  #connect(id: NodeId, addresses: readonly string[], toldBy: NodeId, limitMs: number): Promise<boolean> {
    const { neighbours } = this.#deps;
    if (neighbours.network.connectionsOf(id).length === 0) {
      this.dials += 1;
      this.#dialled.add(id);
    }
    return neighbours.connect(id, addresses, toldBy, { signal: this.#work.signal, limitMs });
  }

  async #send(peer: NodeId, body: WormQuery, limitMs: number): Promise<ReturnType<typeof answerOf>> {
    const { ctx } = this.#deps;
    const { signal } = this.#work;
    try {
      const deadlineMs = Math.max(1, limitMs);
      return answerOf(body, await ctx.send(peer, wormQuery, body, { deadlineMs, signal }), peer);
    } catch (error) {
      if (!signal.aborted) ctx.counters.add(`${body.ttl === 1 ? 'nova' : 'burst'}-unanswered.${codeOf(error)}`);
      throw error;
    }
  }

  #hangUp(): void {
    const { network } = this.#deps.neighbours;
    for (const id of this.#dialled) {
      if (id === this.#kept) continue;
      for (const connection of network.connectionsOf(id)) {
        const isOurs = connection.direction === 'outbound' && BRIEF.has(connection.kind);
        if (isOurs) network.close(connection.id, 'done');
      }
    }
  }
}
