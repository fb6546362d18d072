import { codeOf, linkSignals } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import type { MeshContext } from '../context.ts';
import type { AddressHint, StepCall } from './contract.ts';
import { meshErrors } from '../errors.ts';
import type { ResolveHost } from './host.ts';

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

  constructor(mesh: MeshContext, host: ResolveHost<Connected>) {
    this.#mesh = mesh;
    this.#host = host;
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
    found: readonly AddressHint[],
    call: StepCall,
    tried: Set<string>,
    note: Note,
  ): Promise<Connected | undefined> {
    const { knowledge } = this.#host;
    const reasons: string[] = [];
    for (const { addresses, toldBy } of found) {
      const fresh = addresses.filter((address) => !tried.has(address) && this.#mayDial(address, toldBy));
      if (fresh.length === 0) {
        reasons.push(addresses.length === 0 ? 'no address' : 'all addresses were tried or must not be dialled');
        continue;
      }
      for (const address of fresh) tried.add(address);
      const told = { addresses: fresh, by: toldBy };
      const { reached, problem } = await this.#dial(call, (signal) =>
        this.#host.connect({ nodeId: target, told, purpose: call.purpose, signal }),
      );
      if (reached !== undefined) {
        knowledge.judge(toldBy, 'proved');
        note('connected', `at ${fresh.join(', ')}`);
        return reached;
      }
      reasons.push(`${fresh.join(', ')}: ${problem}`);
      if (call.signal.aborted) break;
      // That we may not dial it now says nothing of who told.
      if (problem === 'transport/wrong-node') knowledge.judge(toldBy, 'refuted');
      else if (problem !== meshErrors.code('over-budget')) knowledge.judge(toldBy, 'not-reached');
    }
    note('dial-failed', reasons.join('; '));
    return undefined;
  }

  /** Dials where the node was before. */
  async reachKnown(target: NodeId, call: StepCall, tried: Set<string>, note: Note): Promise<Connected | undefined> {
    const known = this.#host.addresses(target);
    const { reached, problem } = await this.#dial(call, (signal) =>
      this.#host.connectKnown(target, { ...call, signal, except: tried }),
    );
    for (const address of known) tried.add(address);
    if (reached === undefined) note('dial-failed', `${known.join(', ')}: ${problem}`);
    else note('connected', `at ${known.join(', ')}`);
    return reached;
  }

  /** Of a teller who is not here any more only public addresses are believed. */
  #mayDial(address: string, toldBy: NodeId): boolean {
    return this.#mesh.network.mayDial(address, this.#host.remoteAddr(toldBy) ?? '');
  }

  async #dial(
    call: StepCall,
    connect: (signal: AbortSignal) => Promise<Connected>,
  ): Promise<{ reached?: Connected; problem: string }> {
    const limited = linkSignals([call.signal], { deadlineMs: DIAL_LIMIT_MS, clock: this.#mesh.ctx.clock });
    try {
      return { reached: await connect(limited.signal), problem: '' };
    } catch (error) {
      return { problem: codeOf(error) };
    } finally {
      limited.dispose();
    }
  }
}
