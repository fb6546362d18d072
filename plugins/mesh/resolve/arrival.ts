import { codeOf, linkSignals } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { MeshContext } from '../context.ts';
import type { StepCall, Whereabouts } from './contract.ts';
import type { DialBudget } from './dial-budget.ts';
import type { ResolveHost } from './host.ts';
import { untilAborted } from './until-aborted.ts';

/** MESH-12: one dial with its exchange, whatever number of addresses. */
const DIAL_LIMIT_MS = 15_000;
/** Time for a connection that a step made to finish its exchange. */
const EXCHANGE_LIMIT_MS = 10_000;

/** Writes a line of the run's record. */
export type Note = (result: string, reason: string) => void;

/** The last part of each step: from what it found to a peer. */
export class Arrival<Connected> {
  readonly #mesh: MeshContext;
  readonly #host: ResolveHost<Connected>;
  readonly #budget: DialBudget;

  constructor(mesh: MeshContext, host: ResolveHost<Connected>, budget: DialBudget) {
    this.#mesh = mesh;
    this.#host = host;
    this.#budget = budget;
  }

  /** A step connected the node: waits for its exchange. */
  async settle(target: NodeId, signal: AbortSignal, note: Note): Promise<Connected | undefined> {
    const limited = linkSignals([signal], { deadlineMs: EXCHANGE_LIMIT_MS, clock: this.#mesh.ctx.clock });
    try {
      const connected = await this.#host.whenConnected(target, limited.signal);
      note('connected', 'by the step itself');
      return connected;
    } catch (error) {
      note('dial-failed', `the exchange did not finish: ${codeOf(error)}`);
      return undefined;
    } finally {
      limited.dispose();
    }
  }

  /** Dials what was found, one teller's addresses after the other's, and judges the tellers by it. */
  async reach(
    target: NodeId,
    found: readonly Whereabouts[],
    call: StepCall,
    tried: Set<string>,
    note: Note,
  ): Promise<Connected | undefined> {
    const reasons: string[] = [];
    for (const whereabouts of found) {
      const { addresses, toldBy } = whereabouts;
      const fresh = addresses.filter((address) => !tried.has(address) && this.#mayDial(address, whereabouts));
      if (fresh.length === 0) {
        reasons.push(addresses.length === 0 ? 'no address' : 'all addresses were tried or must not be dialled');
        continue;
      }
      for (const address of fresh) tried.add(address);
      try {
        const connected = await this.#dial(target, fresh, call);
        if (toldBy !== undefined) this.#host.knowledge.judge(toldBy, 'proved');
        const reachedAt = this.#host.remoteAddr(target);
        if (reachedAt !== undefined && this.#isCharged(reachedAt, whereabouts)) this.#budget.giveBack(reachedAt);
        note('connected', `at ${fresh.join(', ')}`);
        return connected;
      } catch (error) {
        reasons.push(`${fresh.join(', ')}: ${codeOf(error)}`);
        if (toldBy !== undefined && !call.signal.aborted) {
          this.#host.knowledge.judge(toldBy, codeOf(error) === 'transport/wrong-node' ? 'refuted' : 'not-reached');
        }
      }
      if (call.signal.aborted) break;
    }
    note('dial-failed', reasons.join('; '));
    return undefined;
  }

  #mayDial(address: string, whereabouts: Whereabouts): boolean {
    const { toldBy } = whereabouts;
    // Of a teller who is not here any more only public addresses are believed.
    if (toldBy !== undefined && !this.#mesh.network.mayDial(address, this.#host.remoteAddr(toldBy) ?? '')) return false;
    return !this.#isCharged(address, whereabouts) || this.#budget.take(address);
  }

  #isCharged(address: string, { toldBy, provedAt }: Whereabouts): boolean {
    return toldBy !== undefined || (provedAt !== undefined && address !== provedAt);
  }

  async #dial(target: NodeId, addresses: readonly string[], call: StepCall): Promise<Connected> {
    const limited = linkSignals([call.signal], { deadlineMs: DIAL_LIMIT_MS, clock: this.#mesh.ctx.clock });
    try {
      return await untilAborted(
        this.#host.dial(target, addresses, { ...call, signal: limited.signal }),
        limited.signal,
      );
    } finally {
      limited.dispose();
    }
  }
}
