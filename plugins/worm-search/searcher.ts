import { linkSignals, SharedWork } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { WormResult, WormTarget } from './api.ts';
import { wormSearched } from './api.ts';
import { wormErrors } from './errors.ts';
import { queryOf } from './finding.ts';
import type { Finding } from './finding.ts';
import type { SearchOutcome } from './search.ts';
import { type NovaRoom, type SearchDeps, SearchRun } from './search-run.ts';

/** Targets searched for at once. */
export const IN_FLIGHT_MAX = 16;
/** Referred nodes being dialled or asked, all searches together: those of two. */
const NOVA_AT_ONCE_MAX = 202;
/** Ended searches remembered for `worm explain`. */
const ENDED_KEPT = 20;

export interface FindOptions {
  readonly signal?: AbortSignal | undefined;
  /** N2 and N3 were tried and led nowhere. */
  readonly beyondN3?: boolean;
}

interface Run {
  readonly target: WormTarget;
  readonly startedAtMs: number;
  readonly work: SharedWork<WormResult>;
}

/** A search as `worm explain` remembers it. */
export interface EndedSearch {
  readonly endedAtMs: number;
  readonly result: WormResult;
}

/** The asking side: one run for each target, joined by all who look for it meanwhile (WORM-09). */
export class Searcher implements NovaRoom {
  readonly #deps: SearchDeps;
  readonly #runs = new Map<string, Run>();
  readonly #ended: EndedSearch[] = [];
  #novas = 0;

  constructor(deps: SearchDeps) {
    this.#deps = deps;
  }

  get inFlight(): number {
    return this.#runs.size;
  }

  running(): Iterable<Pick<Run, 'target' | 'startedAtMs'>> {
    return this.#runs.values();
  }

  /** The last searches, the latest first. */
  ended(): readonly EndedSearch[] {
    return this.#ended;
  }

  /** See WormSearchService.find. */
  async find(target: WormTarget, { signal, beyondN3 = false }: FindOptions = {}): Promise<WormResult> {
    const key = `${target.kind}/${target.id}/${beyondN3}`;
    const run = this.#runs.get(key) ?? this.#start(key, target, beyondN3);
    return run.work.join(signal);
  }

  #start(key: string, target: WormTarget, beyondN3: boolean): Run {
    if (this.#runs.size >= IN_FLIGHT_MAX) throw wormErrors.make('busy', { max: IN_FLIGHT_MAX });
    const search = async (calledOff: AbortSignal): Promise<WormResult> => {
      const own = linkSignals([this.#deps.ctx.signal, calledOff]);
      return this.#search(target, beyondN3, own.signal).finally(() => own.dispose());
    };
    const work = new SharedWork(search, () => this.#runs.delete(key));
    const run = { target, startedAtMs: this.#deps.ctx.clock.now(), work };
    this.#runs.set(key, run);
    return run;
  }

  async #search(asked: WormTarget, beyondN3: boolean, signal: AbortSignal): Promise<WormResult> {
    const { ctx, home, neighbours, seen, cooldown } = this.#deps;
    const target = await this.#withPreferred(asked, signal);
    const searchId = Buffer.from(ctx.random.bytes(16)).toString('hex');
    const query = queryOf(target, searchId);
    await neighbours.settled(signal);
    const [known, peers] = [home.look(neighbours, query, beyondN3), neighbours.wormPeers()];
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
    const { presence } = this.#deps.ctx.deps;
    if (target.kind !== 'node' || target.nplus10 !== undefined || !presence.available) return target;
    const route = await presence.use((service) => service.route(target.id as NodeId), { signal });
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
    this.#ended.unshift({ endedAtMs: ctx.clock.now(), result });
    if (this.#ended.length > ENDED_KEPT) this.#ended.pop();
    ctx.emit(wormSearched, result);
  }
}
