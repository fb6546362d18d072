import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { LinkedSignal, NodeId } from '../../kernel/index.ts';
import type { WormResult, WormTarget } from './api.ts';
import { wormSearched } from './api.ts';
import type { WormContext } from './context.ts';
import type { Cooldown } from './cooldown.ts';
import type { Distrust } from './distrust.ts';
import { wormErrors } from './errors.ts';
import { answerOf, queryOf } from './finding.ts';
import type { Finding, Referral, WormQuery } from './finding.ts';
import type { Holdings } from './holdings.ts';
import type { Home } from './home.ts';
import type { MeshDoor } from './mesh-door.ts';
import { wormQuery } from './messages.ts';
import { runSearch, type SearchOutcome, type SearchWorld } from './search.ts';
import type { Seen } from './seen.ts';

/** Kinds of connections that are nobody's to keep. */
const BRIEF: ReadonlySet<string> = new Set(['ephemeral', 'session']);
/** Targets searched for at once. */
export const IN_FLIGHT_MAX = 16;
/** Referred nodes being dialled or asked, all searches together: those of two. */
const NOVA_AT_ONCE_MAX = 202;

export interface SearcherDeps {
  readonly ctx: WormContext;
  readonly home: Home;
  readonly mesh: MeshDoor;
  readonly holdings: Holdings;
  readonly seen: Seen;
  readonly cooldown: Cooldown;
  readonly distrust: Distrust;
}

export interface FindOptions {
  readonly signal?: AbortSignal | undefined;
  /** N2 and N3 were tried and led nowhere. */
  readonly beyondN3?: boolean;
}

interface Run {
  readonly promise: Promise<WormResult>;
  readonly own: LinkedSignal;
  waiting: number;
}

/** The asking side: one run for each target, joined by all who look for it meanwhile (WORM-09). */
export class Searcher {
  readonly #deps: SearcherDeps;
  readonly #runs = new Map<string, Run>();
  #novas = 0;

  constructor(deps: SearcherDeps) {
    this.#deps = deps;
  }

  get inFlight(): number {
    return this.#runs.size;
  }

  /** See WormSearchService.find. */
  async find(target: WormTarget, { signal, beyondN3 = false }: FindOptions = {}): Promise<WormResult> {
    const key = `${target.kind}/${target.id}/${beyondN3}`;
    const run = this.#runs.get(key) ?? this.#start(key, target, beyondN3);
    run.waiting += 1;
    try {
      return await untilAborted(run.promise, signal);
    } finally {
      run.waiting -= 1;
      if (run.waiting === 0) {
        // Whoever comes next shall not join what is being called off.
        if (this.#runs.get(key) === run) this.#runs.delete(key);
        run.own.abort(signal?.reason);
      }
    }
  }

  #start(key: string, target: WormTarget, beyondN3: boolean): Run {
    if (this.#runs.size >= IN_FLIGHT_MAX) throw wormErrors.make('busy', { max: IN_FLIGHT_MAX });
    const own = linkSignals([this.#deps.ctx.signal]);
    const promise = this.#search(target, beyondN3, own.signal).finally(() => own.dispose());
    // All who waited may have left before it ends.
    promise.catch(() => {});
    const run = { promise, own, waiting: 0 };
    this.#runs.set(key, run);
    return run;
  }

  async #search(asked: WormTarget, beyondN3: boolean, signal: AbortSignal): Promise<WormResult> {
    const { ctx, home, mesh, seen, cooldown } = this.#deps;
    const target = await this.#withPreferred(asked, signal);
    const searchId = Buffer.from(ctx.random.bytes(16)).toString('hex');
    const query = queryOf(target, searchId);
    const { known, peers } = await mesh.use(
      (view) => ({ known: home.look(view, query, beyondN3), peers: view.wormPeers() }),
      signal,
    );
    if (known.length === 0) {
      const leftMs = cooldown.leftMs(target, ctx.clock.now());
      if (leftMs > 0) {
        ctx.counters.add('searches-suppressed');
        throw wormErrors.make('cooling-down', { kind: target.kind, seconds: Math.ceil(leftMs / 1_000) });
      }
    }
    // What comes back to us in a circle is not answered.
    seen.handle(searchId, ctx.clock.monotonic());
    seen.relay(searchId);
    const worker = new SearchRun(this.#deps, target, query, { known, peers }, signal, this);
    const outcome = await worker.run();
    const result = this.#result(target, outcome, worker);
    this.#remember(target, result, peers.length);
    return result;
  }

  /** A contact's preferred peers are needles too (WORM-01). */
  async #withPreferred(target: WormTarget, signal: AbortSignal): Promise<WormTarget> {
    const { social } = this.#deps.ctx.deps;
    if (target.kind !== 'node' || target.nplus10 !== undefined || social?.available !== true) return target;
    const route = await social.use((service) => service.route(target.id as NodeId), { signal });
    return route === undefined ? target : { ...target, nplus10: route.nplus10 };
  }

  /** Room for one more referred node; given back with {@link novaEnded}. */
  takeNova(): boolean {
    if (this.#novas >= NOVA_AT_ONCE_MAX) return false;
    this.#novas += 1;
    return true;
  }

  novaEnded(): void {
    this.#novas -= 1;
  }

  #result(target: WormTarget, outcome: SearchOutcome<Finding>, worker: SearchRun): WormResult {
    const { finding, local, relayHops, relayed } = outcome;
    return {
      target,
      found: finding !== undefined,
      ...(finding === undefined ? {} : { holder: finding.holder }),
      local,
      addresses: finding?.addresses ?? [],
      via: finding?.via ?? [],
      tookMs: Math.round(outcome.tookMs),
      steps: outcome.steps.map((step) => ({ ...step, atMs: Math.round(step.atMs), tookMs: Math.round(step.tookMs) })),
      cost: { relayHops, messages: relayHops + relayed, dials: worker.dials },
    };
  }

  #remember(target: WormTarget, result: WormResult, asked: number): void {
    const { ctx, cooldown } = this.#deps;
    if (!result.local) {
      ctx.counters.add(result.found ? 'searches-found' : 'searches-missed');
      if (result.found) cooldown.found(target);
      // Nobody was asked: that says nothing of the target.
      else if (asked > 0) cooldown.missed(target, ctx.clock.now());
    }
    ctx.emit(wormSearched, result);
  }
}

/** One search over the wire. */
class SearchRun implements SearchWorld<NodeId, Finding, Referral> {
  readonly clock;
  readonly random;
  dials = 0;
  readonly #deps: SearcherDeps;
  readonly #target: WormTarget;
  readonly #query: WormQuery;
  readonly #start: { readonly known: readonly Finding[]; readonly peers: readonly NodeId[] };
  readonly #room: Pick<Searcher, 'takeNova' | 'novaEnded'>;
  /** Ends with the search, so that nothing of it goes on. */
  readonly #work: LinkedSignal;
  /** Connections made for this search alone, closed with it (MESH-07). */
  readonly #dialled = new Set<NodeId>();
  #kept: NodeId | undefined;

  constructor(
    deps: SearcherDeps,
    target: WormTarget,
    query: WormQuery,
    start: { readonly known: readonly Finding[]; readonly peers: readonly NodeId[] },
    signal: AbortSignal,
    room: Pick<Searcher, 'takeNova' | 'novaEnded'>,
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
      const onAbort = (): void => {
        cancel();
        reject(signal.reason);
      };
      let cancel = (): void => {};
      signal.addEventListener('abort', onAbort, { once: true });
      cancel = runSearch(this, (outcome) => {
        signal.removeEventListener('abort', onAbort);
        this.#kept = outcome.finding?.holder;
        resolve(outcome);
      });
    }).finally(() => {
      this.#work.abort();
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
    const { mesh } = this.#deps;
    if (mesh.network.connectionsOf(id).length === 0) {
      this.dials += 1;
      this.#dialled.add(id);
    }
    return mesh.connect(id, addresses, toldBy, { signal: this.#work.signal, limitMs });
  }

  async #send(peer: NodeId, body: WormQuery, limitMs: number): Promise<ReturnType<typeof answerOf>> {
    const { ctx } = this.#deps;
    const limited = linkSignals([this.#work.signal]);
    try {
      const response = await ctx.send(peer, wormQuery, body, {
        deadlineMs: Math.max(1, limitMs),
        signal: limited.signal,
      });
      return answerOf(body, response, peer);
    } catch (error) {
      const round = body.ttl === 1 ? 'nova' : 'burst';
      if (!this.#work.signal.aborted) ctx.counters.add(`${round}-unanswered.${codeOf(error)}`);
      throw error;
    } finally {
      limited.dispose();
    }
  }

  #hangUp(): void {
    const { network } = this.#deps.mesh;
    for (const id of this.#dialled) {
      if (id === this.#kept) continue;
      for (const connection of network.connectionsOf(id)) {
        const isOurs = connection.direction === 'outbound' && BRIEF.has(connection.kind);
        if (isOurs) network.close(connection.id, 'done');
      }
    }
  }
}

/** `work` goes on for others who wait for it; only this caller stops waiting. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
