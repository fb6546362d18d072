import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import { AddressBudget } from './address-budget.ts';
import { budgetKey, hostOf, isIPv6, isPublic } from './address-rules.ts';
import type { AnchorsContext } from './context.ts';
import { PROBE_DIAL_MS, probeRequest, probeResult } from './messages.ts';
import type { ProbeRequest, ProbeResult } from './messages.ts';
import type { Surroundings } from './surroundings.ts';

/** Our own troubles, which say nothing of the candidate. */
const OWN_TROUBLE = new Set([
  'transport/closed',
  'transport/too-many-connections',
  'wire/closed',
  'transport/bad-address',
]);

/** The other two parts of a probe: the reporter passes it on, the witness dials (ANCH-08). */
export class WitnessDesk {
  readonly #anchors: AnchorsContext;
  readonly #surroundings: Surroundings;
  /** As a reporter we look after the machine that is to be dialled; as a witness we dial it. */
  readonly #passOnBudget = new AddressBudget({ perHost: 4, total: 60, windowMs: 600_000 });
  readonly #dialBudget = new AddressBudget({ perHost: 2, total: 30, windowMs: 600_000 });

  constructor(anchors: AnchorsContext, surroundings: Surroundings) {
    this.#anchors = anchors;
    this.#surroundings = surroundings;
  }

  async answer(request: ProbeRequest, call: IncomingCall): Promise<ProbeResult> {
    const { ctx } = this.#anchors;
    const isWitness = request.witness === ctx.self.nodeId;
    const refusal = isWitness
      ? await this.#refusalAsWitness(request, call)
      : await this.#refusalAsReporter(request, call);
    if (refusal !== undefined) {
      ctx.counters.add(`probes-not-tested.${refusal}`);
      return { probe_id: request.probe_id, outcome: 'not-tested', reason: refusal };
    }
    return isWitness ? this.#dial(request, call.signal) : this.#passOn(request, call.signal);
  }

  async #refusalAsWitness(request: ProbeRequest, call: IncomingCall): Promise<string | undefined> {
    const { ctx, network } = this.#anchors;
    if (request.return_via !== call.peer.nodeId) return 'wrong-way-back';
    if (request.candidate === ctx.self.nodeId || request.candidate === call.peer.nodeId) return 'wrong-candidate';
    // Only a stranger's dial is cold: with a connection there is a warm path.
    if (this.#surroundings.isConnected(request.candidate)) return 'acquainted';
    if (!isPublic(network, request.target_addr)) return 'address-not-public';
    if (!this.#dialBudget.spend(budgetKey(network, request.target_addr), ctx.clock.now())) return 'over-budget';
    const free = await this.#surroundings.charge([request.target_addr]);
    return free.length > 0 ? undefined : 'over-budget';
  }

  async #refusalAsReporter(request: ProbeRequest, call: IncomingCall): Promise<string | undefined> {
    const { ctx, network } = this.#anchors;
    if (request.candidate !== call.peer.nodeId || request.return_via !== ctx.self.nodeId) return 'wrong-candidate';
    if (!isPublic(network, request.target_addr)) return 'address-not-public';
    // Whom we see at an address of the same family asks for that machine, not for a stranger's.
    const seenAt = this.#surroundings.seenAt(call.peer.nodeId);
    if (isIPv6(seenAt) === isIPv6(request.target_addr) && hostOf(seenAt) !== hostOf(request.target_addr)) {
      return 'not-its-address';
    }
    const witness = request.witness;
    if (!this.#surroundings.isConnected(witness)) return 'no-such-witness';
    if (!(await this.#surroundings.supports(witness, probeRequest))) return 'unsupported-by-witness';
    return this.#passOnBudget.spend(budgetKey(network, request.target_addr), ctx.clock.now())
      ? undefined
      : 'over-budget';
  }

  async #passOn(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResult> {
    const { ctx } = this.#anchors;
    const { probe_id } = request;
    try {
      const answer = await ctx.send(request.witness, probeRequest, request, { signal });
      return answer.probe_id === probe_id ? answer : { probe_id, outcome: 'not-tested', reason: 'mixed-up-answer' };
    } catch (error) {
      signal.throwIfAborted();
      return { probe_id, outcome: 'not-tested', reason: codeOf(error) };
    }
  }

  /** A raw dial and nothing else: no cascade, no introduction, no relay. */
  async #dial(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResult> {
    const { ctx } = this.#anchors;
    const { probe_id } = request;
    const candidate = request.candidate;
    const limit = linkSignals([signal, ctx.signal], { clock: ctx.clock, deadlineMs: PROBE_DIAL_MS });
    try {
      const target = { nodeId: candidate, addresses: [request.target_addr] };
      const { id } = await this.#surroundings.dialSession(target, limit.signal);
      await this.#surroundings.led(candidate);
      return await this.#tell(candidate, id, probe_id, limit.signal);
    } catch (error) {
      ctx.signal.throwIfAborted();
      const reason = codeOf(error);
      return { probe_id, outcome: OWN_TROUBLE.has(reason) ? 'not-tested' : 'unreachable', reason };
    } finally {
      limit.dispose();
    }
  }

  /** Reached: the candidate hears it on the connection that proves it. */
  async #tell(candidate: NodeId, connectionId: number, probe_id: string, signal: AbortSignal): Promise<ProbeResult> {
    const { ctx, network } = this.#anchors;
    const result: ProbeResult = { probe_id, outcome: 'reachable', reason: 'connected' };
    try {
      await ctx.send(candidate, probeResult, result, { signal, connectionId });
      return result;
    } catch (error) {
      return { probe_id, outcome: 'not-tested', reason: codeOf(error) };
    } finally {
      network.close(connectionId, 'done');
    }
  }
}
