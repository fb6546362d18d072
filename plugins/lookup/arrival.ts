import { codeOf, linkSignals, transportCode } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { OVER_BUDGET } from '../peers/api.ts';
import type { LookupContext } from './context.ts';
import type { AddressHint, StepCall } from './contract.ts';
import type { LookupWorld } from './world.ts';

/** MESH-12: one dial with its handshake, whatever number of addresses. */
const DIAL_LIMIT_MS = 15_000;
/** Time for a connection that a step made to finish its handshake. */
const HANDSHAKE_LIMIT_MS = 10_000;

/** Writes a line of the run's record. */
export type Note = (result: string, reason: string) => void;

/** The last part of each step: from what it found to a peer. */
export class Arrival {
  readonly #lookup: LookupContext;
  readonly #world: LookupWorld;

  constructor(lookup: LookupContext, world: LookupWorld) {
    this.#lookup = lookup;
    this.#world = world;
  }

  /** A step connected the node: waits for its handshake. */
  async settle(target: NodeId, call: StepCall, note: Note): Promise<boolean> {
    const problem = await this.#attempt(call, HANDSHAKE_LIMIT_MS, (signal) =>
      this.#world.connectKnown(target, { ...call, signal }),
    );
    if (problem === undefined) note('connected', 'by the step itself');
    else note('dial-failed', `the handshake did not finish: ${problem}`);
    return problem === undefined;
  }

  /** Dials what was found, one teller's addresses after the other's, and judges the tellers by it. */
  async reach(
    target: NodeId,
    found: readonly AddressHint[],
    call: StepCall,
    tried: Set<string>,
    note: Note,
  ): Promise<boolean> {
    const { routing } = this.#world;
    const reasons: string[] = [];
    for (const { addresses, toldBy } of found) {
      const fresh = addresses.filter((address) => !tried.has(address) && this.#mayDial(address, toldBy));
      if (fresh.length === 0) {
        reasons.push(addresses.length === 0 ? 'no address' : 'all addresses were tried or must not be dialled');
        continue;
      }
      for (const address of fresh) tried.add(address);
      const told = { addresses: fresh, by: toldBy };
      const problem = await this.#attempt(call, DIAL_LIMIT_MS, (signal) =>
        this.#world.connect({ nodeId: target, told, purpose: call.purpose, signal }),
      );
      if (problem === undefined) {
        routing.judge(toldBy, 'proved');
        note('connected', `at ${fresh.join(', ')}`);
        return true;
      }
      reasons.push(`${fresh.join(', ')}: ${problem}`);
      if (call.signal.aborted) break;
      if (problem === transportCode('wrong-node')) routing.judge(toldBy, 'refuted');
      else if (problem !== OVER_BUDGET) routing.judge(toldBy, 'not-reached');
    }
    note('dial-failed', reasons.join('; '));
    return false;
  }

  /** Dials where the node was before. */
  async reachKnown(target: NodeId, call: StepCall, tried: Set<string>, note: Note): Promise<boolean> {
    const known = this.#world.addresses(target);
    const problem = await this.#attempt(call, DIAL_LIMIT_MS, (signal) =>
      this.#world.connectKnown(target, { ...call, signal, except: tried }),
    );
    for (const address of known) tried.add(address);
    if (problem === undefined) note('connected', `at ${known.join(', ')}`);
    else note('dial-failed', `${known.join(', ')}: ${problem}`);
    return problem === undefined;
  }

  /** Of a teller who is not here any more only public addresses are believed. */
  #mayDial(address: string, toldBy: NodeId): boolean {
    return this.#lookup.network.mayDial(address, this.#world.remoteAddr(toldBy) ?? '');
  }

  /** Returns the code of what it failed with. */
  async #attempt(
    call: StepCall,
    deadlineMs: number,
    connect: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<string | undefined> {
    const limited = linkSignals([call.signal], { deadlineMs, clock: this.#lookup.ctx.clock });
    try {
      await connect(limited.signal);
      return undefined;
    } catch (error) {
      return codeOf(error);
    } finally {
      limited.dispose();
    }
  }
}
