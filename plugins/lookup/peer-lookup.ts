import { codeOf, linkSignals, messageOf, SharedWork } from '../../kernel/index.ts';
import type { Contribution, NodeId } from '../../kernel/index.ts';
import type { LookupContext } from './context.ts';
import type { AddressService } from './address-service.ts';
import { Arrival } from './arrival.ts';
import type { Note } from './arrival.ts';
import type { LookupStep, StepCall, StepOutcome } from './contract.ts';
import { resolveErrors } from './errors.ts';
import { LookupHistory } from './history.ts';
import type { Resolution, StepRecord } from './history.ts';
import { LOOKUP_PURPOSE } from './world.ts';
import type { LookupWorld } from './world.ts';

/** Runs under way at once; those beyond it are refused. */
export const RUNS_MAX = 64;
/** All steps with their dials. */
const RUN_LIMIT_MS = 90_000;
const ASK_LIMIT_MS = 5_000;
/** No step may hold up the others for longer. */
const STEP_LIMIT_MAX_MS = 30_000;
/** Preferred peers of a node that are connected to and asked about it. */
const THROUGH_MAX = 3;
const THROUGH_STEPS = ['peers-table', 'ask-n2-reporter', 'ask-n3-chain'] as const;

export interface LookupOptions {
  /** Why the node is wanted; shown by `peer explain`. */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
  /** Only these steps; all by default. */
  readonly steps?: readonly string[] | undefined;
}

/** What the steps of one run share. */
interface Run {
  /** Addresses dialled. */
  readonly tried: Set<string>;
  /** Nodes that were connected to be asked, and are left when the run is over. */
  readonly visits: NodeId[];
}

/** `connect_by_node_id` (KNOW-06): one way to a node after the other, each with its reason and its time. */
export class PeerLookup {
  readonly history = new LookupHistory();
  readonly #lookup: LookupContext;
  readonly #world: LookupWorld;
  readonly #arrival: Arrival;
  readonly #addresses: AddressService;
  /** Runs under way by target and steps. */
  readonly #running = new Map<string, SharedWork<void>>();
  /** Nodes connected to be asked, of all runs, that nobody else has wanted since. */
  readonly #visited = new Set<NodeId>();

  constructor(lookup: LookupContext, world: LookupWorld, addresses: AddressService) {
    this.#lookup = lookup;
    this.#world = world;
    this.#addresses = addresses;
    this.#arrival = new Arrival(lookup, world);
  }

  get running(): number {
    return this.#running.size;
  }

  /**
   * Resolves when the node is a peer, by whatever step leads to it. A run under way for the same node and steps
   * is joined, also one for another purpose, and goes on until the last of those who wait for it gives up.
   *
   * @throws resolve/unreachable, resolve/busy, resolve/held-off, resolve/declined, the signal's reason.
   */
  async connect(target: NodeId, options: LookupOptions): Promise<void> {
    this.#visited.delete(target);
    return this.#connect(target, options);
  }

  async #connect(target: NodeId, { purpose, signal, steps }: LookupOptions): Promise<void> {
    signal?.throwIfAborted();
    if (this.#world.isPeer(target)) return;
    const refusal = this.#world.refusal(target);
    if (refusal !== undefined) throw resolveErrors.make(refusal, { node_id: target });
    const key = `${target}/${steps?.join() ?? 'all'}`;
    let run = this.#running.get(key);
    if (run === undefined) {
      if (this.#running.size >= RUNS_MAX) throw resolveErrors.make('busy');
      run = new SharedWork(
        (calledOff) => this.#run(target, { purpose, steps, signal: calledOff }),
        () => this.#running.delete(key),
      );
      this.#running.set(key, run);
    }
    return run.join(signal);
  }

  async #run(target: NodeId, { purpose, steps: only, signal }: LookupOptions): Promise<void> {
    const { ctx } = this.#lookup;
    const startedMs = ctx.clock.now();
    const whole = linkSignals([ctx.signal, signal], { deadlineMs: RUN_LIMIT_MS, clock: ctx.clock });
    const records: StepRecord[] = [];
    const run: Run = { tried: new Set(), visits: [] };
    const finish = (result: string): void => {
      const record: Resolution = {
        at_ms: startedMs,
        took_ms: ctx.clock.now() - startedMs,
        purpose,
        result,
        steps: records,
      };
      this.history.add(target, record);
      ctx.counters.add(`resolved.${result}`);
    };
    try {
      const steps = this.#world.steps().filter(({ name }) => only === undefined || only.includes(name));
      for (const step of steps) {
        const atMs = ctx.clock.now();
        const note: Note = (result, reason) => {
          records.push({ step: step.name, took_ms: ctx.clock.now() - atMs, result, reason });
        };
        if (await this.#tryStep(step, target, { purpose, signal: whole.signal }, run, note)) {
          finish(step.name);
          return;
        }
        whole.signal.throwIfAborted();
      }
      throw resolveErrors.make('unreachable', { node_id: target });
    } catch (error) {
      finish(codeOf(error) === resolveErrors.code('unreachable') ? 'unreachable' : 'gave-up');
      throw error;
    } finally {
      whole.dispose();
      // Not earlier: who was asked may have to introduce us.
      for (const nodeId of run.visits) if (this.#visited.delete(nodeId)) this.#world.leave(nodeId);
    }
  }

  async #tryStep(
    step: Contribution<LookupStep>,
    target: NodeId,
    call: StepCall,
    run: Run,
    note: Note,
  ): Promise<boolean> {
    const { clock } = this.#lookup.ctx;
    const limitMs = Math.min(
      STEP_LIMIT_MAX_MS,
      step.ask(({ limitMs: own }) => own, ASK_LIMIT_MS),
    );
    const limited = linkSignals([call.signal], { deadlineMs: limitMs, clock });
    let outcome: StepOutcome;
    try {
      // Slowness is no fault of a step: its own limit ends it before the kernel's would.
      outcome = await step.use((way, signal) => way.find(target, { ...call, signal }), {
        signal: limited.signal,
        limitMs: 2 * STEP_LIMIT_MAX_MS,
        restart: true,
      });
    } catch (error) {
      note('nothing', limited.signal.aborted ? `no answer within ${limitMs} ms` : reasonOf(error));
      return false;
    } finally {
      limited.dispose();
    }
    if (this.#world.isPeer(target)) {
      note('connected', 'the connection came while the step ran');
      return true;
    }
    if (outcome.kind === 'nothing') {
      note('nothing', outcome.reason);
      return false;
    }
    if (outcome.kind === 'ask') {
      for (const nodeId of outcome.opened ?? []) this.#visit(nodeId, run);
      const { found, reasons } = await this.#addresses.ask(target, outcome.peers, 1, call.signal);
      if (found.length > 0) return this.#arrival.reach(target, found, call, run.tried, note);
      note('nothing', reasons.join('; '));
      return false;
    }
    if (outcome.kind === 'known') return this.#arrival.reachKnown(target, call, run.tried, note);
    if (outcome.kind === 'connected') return this.#arrival.settle(target, call, note);
    if (outcome.kind === 'through') return this.#through(target, outcome.nodes, call, run, note);
    const found = outcome.kind === 'told' ? outcome.found : [outcome];
    return this.#arrival.reach(target, found, call, run.tried, note);
  }

  #visit(nodeId: NodeId, { visits }: Run): void {
    visits.push(nodeId);
    this.#visited.add(nodeId);
  }

  /**
   * Asks the nearest of the nodes that are in sight where the target is (NPT-07). They are named by others,
   * so being asked earns none of them a mesh slot, nor a connection that stays.
   */
  async #through(target: NodeId, nodes: readonly NodeId[], call: StepCall, run: Run, note: Note): Promise<boolean> {
    const reasons: string[] = [];
    const near = nodes
      .filter((nodeId) => nodeId !== target && nodeId !== this.#lookup.ctx.self.nodeId)
      .map((nodeId) => ({ nodeId, hops: this.#hops(nodeId) }))
      .filter(({ hops }) => hops !== undefined)
      .sort((one, other) => (one.hops as number) - (other.hops as number));
    for (const { nodeId } of near.slice(0, THROUGH_MAX)) {
      try {
        if (!this.#world.isPeer(nodeId) && !this.#isSought(nodeId)) this.#visit(nodeId, run);
        const { signal } = call;
        const visit = { purpose: LOOKUP_PURPOSE, steps: THROUGH_STEPS, signal };
        await this.#world.during(nodeId, signal, () => this.#connect(nodeId, visit));
        const { found, reasons: problems } = await this.#world.during(nodeId, signal, () =>
          this.#addresses.ask(target, [nodeId], 0, signal),
        );
        if (found.length > 0) return await this.#arrival.reach(target, found, call, run.tried, note);
        reasons.push(...problems);
      } catch (error) {
        call.signal.throwIfAborted();
        reasons.push(`${nodeId.slice(0, 8)}: ${codeOf(error)}`);
      }
    }
    note('nothing', reasons.length > 0 ? reasons.join('; ') : 'none of its preferred peers is in sight');
    return false;
  }

  #isSought(nodeId: NodeId): boolean {
    return [...this.#running.keys()].some((key) => key.startsWith(`${nodeId}/`));
  }

  /** How far away a node is; `undefined` for one beyond three hops of which no address is stored. */
  #hops(nodeId: NodeId): number | undefined {
    if (this.#world.isPeer(nodeId)) return 1;
    const { n2Reporters, n3Reporters } = this.#world.routing.reach(nodeId);
    if (n2Reporters.length > 0) return 2;
    if (n3Reporters.length > 0) return 3;
    return this.#world.addresses(nodeId).length > 0 ? 4 : undefined;
  }
}

const REASON_MAX_CHARS = 200;

/** The code of an error that has one; what a step of another plugin throws may be anything. */
function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === 'unknown' ? messageOf(error).slice(0, REASON_MAX_CHARS) : code;
}
