import { codeOf, linkSignals, untilAborted } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { MeshContext } from '../context.ts';
import type { AddressService } from './address-service.ts';
import { Arrival } from './arrival.ts';
import type { Note } from './arrival.ts';
import { STEP_ORDER } from './contract.ts';
import type { CascadeStep, StepCall, StepName, StepOutcome } from './contract.ts';
import { resolveErrors } from './errors.ts';
import { ResolutionHistory } from './history.ts';
import type { Resolution, StepRecord } from './history.ts';
import type { ResolveHost } from './host.ts';

/** Runs under way at once; those beyond it are refused. */
export const RUNS_MAX = 64;
/** All steps with their dials. */
const RUN_LIMIT_MS = 90_000;
const ASK_LIMIT_MS = 5_000;
/** Preferred peers of a node that are connected to and asked about it. */
const THROUGH_MAX = 3;
const THROUGH_STEPS = ['peers-table', 'ask-n2-reporter', 'ask-n3-chain'] as const;

export interface ResolveOptions {
  /** Why the node is wanted; shown by `peer explain`. */
  readonly purpose: string;
  readonly signal?: AbortSignal;
  /** Only these steps; all by default. */
  readonly steps?: readonly StepName[];
}

/** What the steps of one run share. */
interface Run {
  /** Addresses dialled. */
  readonly tried: Set<string>;
  /** Nodes that were connected to be asked, and are left when the run is over. */
  readonly visits: NodeId[];
}

/** `connect_by_node_id` (KNOW-06): one way to a node after the other, each with its reason and its time. */
export class Cascade<Connected> {
  readonly history = new ResolutionHistory();
  readonly #mesh: MeshContext;
  readonly #host: ResolveHost<Connected>;
  readonly #arrival: Arrival<Connected>;
  readonly #addresses: AddressService<Connected>;
  readonly #steps = new Map<StepName, CascadeStep>();
  /** Runs under way by target and steps. */
  readonly #running = new Map<string, Promise<Connected>>();
  /** Nodes connected to be asked, of all runs, that nobody else has wanted since. */
  readonly #visited = new Set<NodeId>();

  constructor(mesh: MeshContext, host: ResolveHost<Connected>, addresses: AddressService<Connected>) {
    this.#mesh = mesh;
    this.#host = host;
    this.#addresses = addresses;
    this.#arrival = new Arrival(mesh, host);
    this.offer({
      name: 'peers-table',
      limitMs: ASK_LIMIT_MS,
      find: async (target) => (host.addresses(target).length > 0 ? { kind: 'known' } : nothing('no address is stored')),
    });
    const askStep = (name: StepName, hops: 0 | 1, layer: 'n2Reporters' | 'n3Reporters'): CascadeStep => ({
      name,
      limitMs: ASK_LIMIT_MS,
      find: async (target, { signal }) => {
        const reporters = host.knowledge.reach(target)[layer];
        if (reporters.length === 0) return nothing(`no peer reports it in ${hops === 0 ? 'N2' : 'N3'}`);
        const { found, reasons } = await addresses.ask(target, reporters, hops, signal);
        return found.length > 0 ? { kind: 'told', found } : nothing(reasons.join('; '));
      },
    });
    this.offer(askStep('ask-n2-reporter', 0, 'n2Reporters'));
    this.offer(askStep('ask-n3-chain', 1, 'n3Reporters'));
  }

  /** Adds a step, or replaces the one of its name; gives the undo. */
  offer(step: CascadeStep): () => void {
    this.#steps.set(step.name, step);
    return () => {
      // A newer generation of its plugin may have taken the place meanwhile.
      if (this.#steps.get(step.name) === step) this.#steps.delete(step.name);
    };
  }

  get running(): number {
    return this.#running.size;
  }

  /**
   * Gives the node as a peer, by whatever step leads to it. A run under way for the same node and steps
   * is joined, also one for another purpose, and goes on when one of those who wait for it gives up.
   *
   * @throws resolve/unreachable, resolve/busy, resolve/held-off, resolve/declined, the signal's reason.
   */
  async connect(target: NodeId, options: ResolveOptions): Promise<Connected> {
    this.#visited.delete(target);
    return this.#connect(target, options);
  }

  async #connect(target: NodeId, { purpose, signal, steps }: ResolveOptions): Promise<Connected> {
    signal?.throwIfAborted();
    const connected = this.#host.connected(target);
    if (connected !== undefined) return connected;
    const refusal = this.#host.refusal(target);
    if (refusal !== undefined) throw resolveErrors.make(refusal, { node_id: target });
    const key = `${target}/${steps?.join() ?? 'all'}`;
    let run = this.#running.get(key);
    if (run === undefined) {
      if (this.#running.size >= RUNS_MAX) throw resolveErrors.make('busy');
      run = this.#run(target, purpose, steps).finally(() => this.#running.delete(key));
      this.#running.set(key, run);
    }
    return untilAborted(run, signal);
  }

  async #run(target: NodeId, purpose: string, only: readonly StepName[] | undefined): Promise<Connected> {
    const { ctx } = this.#mesh;
    const startedMs = ctx.clock.now();
    const whole = linkSignals([ctx.signal], { deadlineMs: RUN_LIMIT_MS, clock: ctx.clock });
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
      for (const name of Object.keys(STEP_ORDER) as StepName[]) {
        if (only !== undefined && !only.includes(name)) continue;
        const atMs = ctx.clock.now();
        const note: Note = (result, reason) => {
          records.push({ step: name, took_ms: ctx.clock.now() - atMs, result, reason });
        };
        const step = this.#steps.get(name);
        if (step === undefined) {
          note('skipped', 'no plugin offers it');
          continue;
        }
        const reached = await this.#tryStep(step, target, { purpose, signal: whole.signal }, run, note);
        if (reached !== undefined) {
          finish(name);
          return reached;
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
      for (const nodeId of run.visits) if (this.#visited.delete(nodeId)) this.#host.leave(nodeId);
    }
  }

  async #tryStep(
    step: CascadeStep,
    target: NodeId,
    call: StepCall,
    run: Run,
    note: Note,
  ): Promise<Connected | undefined> {
    const { clock } = this.#mesh.ctx;
    const limited = linkSignals([call.signal], { deadlineMs: step.limitMs, clock });
    let outcome: StepOutcome;
    try {
      outcome = await untilAborted(step.find(target, { ...call, signal: limited.signal }), limited.signal);
    } catch (error) {
      note('nothing', limited.signal.aborted ? `no answer within ${step.limitMs} ms` : codeOf(error));
      return undefined;
    } finally {
      limited.dispose();
    }
    const connected = this.#host.connected(target);
    if (connected !== undefined) {
      note('connected', 'the connection came while the step ran');
      return connected;
    }
    if (outcome.kind === 'nothing') {
      note('nothing', outcome.reason);
      return undefined;
    }
    if (outcome.kind === 'ask') {
      for (const nodeId of outcome.opened ?? []) this.#visit(nodeId, run);
      const { found, reasons } = await this.#addresses.ask(target, outcome.peers, 1, call.signal);
      if (found.length > 0) return this.#arrival.reach(target, found, call, run.tried, note);
      note('nothing', reasons.join('; '));
      return undefined;
    }
    if (outcome.kind === 'known') return this.#arrival.reachKnown(target, call, run.tried, note);
    if (outcome.kind === 'connected') return this.#arrival.settle(target, call.signal, note);
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
  async #through(
    target: NodeId,
    nodes: readonly NodeId[],
    call: StepCall,
    run: Run,
    note: Note,
  ): Promise<Connected | undefined> {
    const reasons: string[] = [];
    const near = nodes
      .filter((nodeId) => nodeId !== target && nodeId !== this.#mesh.ctx.self.nodeId)
      .map((nodeId) => ({ nodeId, hops: this.#hops(nodeId) }))
      .filter(({ hops }) => hops !== undefined)
      .sort((one, other) => (one.hops as number) - (other.hops as number));
    for (const { nodeId } of near.slice(0, THROUGH_MAX)) {
      try {
        if (this.#host.connected(nodeId) === undefined && !this.#isSought(nodeId)) this.#visit(nodeId, run);
        // The run goes on when we give up, and what comes of it then is a session all the same.
        const visit = { purpose: 'lookup', steps: THROUGH_STEPS };
        const arrival = this.#host.asSession(nodeId, () => this.#connect(nodeId, visit));
        await untilAborted(arrival, call.signal);
        const { found, reasons: problems } = await this.#host.asSession(nodeId, () =>
          this.#addresses.ask(target, [nodeId], 0, call.signal),
        );
        if (found.length > 0) return await this.#arrival.reach(target, found, call, run.tried, note);
        reasons.push(...problems);
      } catch (error) {
        call.signal.throwIfAborted();
        reasons.push(`${nodeId.slice(0, 8)}: ${codeOf(error)}`);
      }
    }
    note('nothing', reasons.length > 0 ? reasons.join('; ') : 'none of its preferred peers is in sight');
    return undefined;
  }

  #isSought(nodeId: NodeId): boolean {
    return [...this.#running.keys()].some((key) => key.startsWith(`${nodeId}/`));
  }

  /** How far away a node is; `undefined` for one beyond three hops of which no address is stored. */
  #hops(nodeId: NodeId): number | undefined {
    if (this.#host.connected(nodeId) !== undefined) return 1;
    const { n2Reporters, n3Reporters } = this.#host.knowledge.reach(nodeId);
    if (n2Reporters.length > 0) return 2;
    if (n3Reporters.length > 0) return 3;
    return this.#host.addresses(nodeId).length > 0 ? 4 : undefined;
  }
}

function nothing(reason: string): StepOutcome {
  return { kind: 'nothing', reason };
}
