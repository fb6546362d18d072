import { codeOf, linkSignals, transportCode, wireCode } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import { OVER_BUDGET } from '../peers/api.ts';
import { hostOf, isIPv6, isPublic } from './address-rules.ts';
import type { AnchorsContext } from './context.ts';
import { PROBE_DIAL_MS, PROBE_WORD_MS, probeRequest, probeResult } from './messages.ts';
import type { ProbeRequest, ProbeResult } from './messages.ts';
import type { PeerDirectory } from './peer-directory.ts';

/** Our own troubles, which say nothing of the candidate. */
const OWN_TROUBLE = new Set([
  transportCode('closed'),
  transportCode('too-many-connections'),
  wireCode('closed'),
  transportCode('bad-address'),
]);

/** As a reporter we look after the machine that is to be dialled; as a witness we dial it. */
const PASS_ON_LIMITS = { group: 'probe-passed-on', perSite: 4, total: 60 };
const PROBE_LIMITS = { group: 'probe', perSite: 2, total: 30 };

/** The other two parts of a probe: the reporter passes it on, the witness dials (ANCH-08). */
export class ProbeWitness {
  readonly #anchors: AnchorsContext;
  readonly #directory: PeerDirectory;

  constructor(anchors: AnchorsContext, directory: PeerDirectory) {
    this.#anchors = anchors;
    this.#directory = directory;
  }

  async answer(request: ProbeRequest, call: IncomingCall): Promise<ProbeResult> {
    const { ctx } = this.#anchors;
    const isWitness = request.witness === ctx.self.nodeId;
    const refusal = isWitness ? this.#refusalAsWitness(request, call) : await this.#refusalAsReporter(request, call);
    if (refusal !== undefined) return this.#notTested(request, refusal);
    return isWitness ? this.#dial(request, call.signal) : this.#passOn(request, call.signal);
  }

  #notTested({ probe_id }: ProbeRequest, reason: string): ProbeResult {
    this.#anchors.ctx.counters.add(`probes-not-tested.${reason}`);
    return { probe_id, outcome: 'not-tested', reason };
  }

  #refusalAsWitness(request: ProbeRequest, call: IncomingCall): string | undefined {
    const { ctx, network } = this.#anchors;
    if (request.return_via !== call.peer.nodeId) return 'wrong-way-back';
    if (request.candidate === ctx.self.nodeId || request.candidate === call.peer.nodeId) return 'wrong-candidate';
    // Only a stranger's dial is cold: with a connection there is a warm path.
    if (this.#directory.isConnected(request.candidate)) return 'acquainted';
    return isPublic(network, request.target_addr) ? undefined : 'address-not-public';
  }

  async #refusalAsReporter(request: ProbeRequest, call: IncomingCall): Promise<string | undefined> {
    const { ctx, network } = this.#anchors;
    if (request.candidate !== call.peer.nodeId || request.return_via !== ctx.self.nodeId) return 'wrong-candidate';
    if (!isPublic(network, request.target_addr)) return 'address-not-public';
    // Whom we see at an address of the same family asks for that machine, not for a stranger's.
    const seenAt = this.#directory.seenAt(call.peer.nodeId);
    if (isIPv6(seenAt) === isIPv6(request.target_addr) && hostOf(seenAt) !== hostOf(request.target_addr)) {
      return 'not-its-address';
    }
    const witness = request.witness;
    if (!this.#directory.isConnected(witness)) return 'no-such-witness';
    if (!(await this.#directory.supports(witness, probeRequest))) return 'unsupported-by-witness';
    const isSpared = !(await this.#directory.mayHaveDialled(request.target_addr, PASS_ON_LIMITS));
    return isSpared ? 'over-budget' : undefined;
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

  /** A dial of this address and nothing else: no search, no introduction, no relay. */
  async #dial(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResult> {
    const { ctx } = this.#anchors;
    const { probe_id } = request;
    const candidate = request.candidate;
    const limit = linkSignals([signal, ctx.signal], { clock: ctx.clock, deadlineMs: PROBE_DIAL_MS + PROBE_WORD_MS });
    try {
      const told = { by: request.return_via, limits: PROBE_LIMITS };
      const place = { nodeId: candidate, addresses: [request.target_addr], told };
      const { connectionId } = await this.#directory.reach(place, 'probe', limit.signal);
      return await this.#tell(candidate, connectionId, probe_id, limit.signal);
    } catch (error) {
      ctx.signal.throwIfAborted();
      const reason = codeOf(error);
      if (reason === OVER_BUDGET) return this.#notTested(request, 'over-budget');
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
