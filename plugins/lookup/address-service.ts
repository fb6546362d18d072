import { codeOf } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import type { LookupContext } from './context.ts';
import type { AddressHint } from './contract.ts';
import type { LookupWorld } from './world.ts';
import { ADDRESSES_TOLD_MAX, addressRequest } from './messages.ts';
import type { AddressAnswer, AddressQuestion } from './messages.ts';

/** Reporters asked for one target, at the same time. */
const REPORTERS_ASKED = 3;
/** Reporters a question of somebody else is passed on to. */
const PASSED_ON_TO = 2;
/** Questions being passed on at once; those beyond it are answered as not known. */
export const PASSING_ON_MAX = 64;
/** Nodes being located at once; of those beyond it nothing is found. */
export const LOCATING_MAX = 64;
/** The second hop is given less time than the first, so that its answer comes back in time. */
const DEADLINE_MS = [2_000, 4_500] as const;

/** AddressRequest from both ends (KNOW-05, KNOW-07). */
export class AddressService {
  readonly #lookup: LookupContext;
  readonly #world: LookupWorld;
  #passingOn = 0;
  #locating = 0;

  constructor(lookup: LookupContext, world: LookupWorld) {
    this.#lookup = lookup;
    this.#world = world;
  }

  /** Handler of AddressRequest: only for nodes of our own shares, and with nothing the asker could not use. */
  async answer(
    { target: nodeId, hops }: AddressQuestion,
    call: Pick<IncomingCall, 'peer' | 'signal'>,
  ): Promise<AddressAnswer> {
    const asker = call.peer.nodeId;
    if (this.#world.routing.isShared(nodeId)) {
      return { known: true, addresses: this.#tellable(this.#world.addresses(nodeId), asker) };
    }
    const found = hops === 0 ? undefined : await this.#passOn(nodeId, asker, call.signal);
    if (found === undefined) return { known: false, addresses: [] };
    return { known: true, addresses: this.#tellable(found.addresses, asker) };
  }

  /**
   * Asks those of `reporters` who are here, some at a time, until one knows an address that may be
   * dialled. Who does not know what it reported is judged by it.
   *
   * @returns one entry for each reporter that told something, as they came; and what the others said.
   */
  async ask(
    target: NodeId,
    reporters: readonly NodeId[],
    hops: 0 | 1,
    signal: AbortSignal,
    limit = REPORTERS_ASKED,
  ): Promise<{ found: AddressHint[]; reasons: string[] }> {
    const found: AddressHint[] = [];
    const reasons: string[] = [];
    const asked = reporters.filter((reporter) => reporter !== target).slice(0, limit);
    await Promise.all(
      asked.map(async (toldBy) => {
        try {
          const options = { signal, deadlineMs: DEADLINE_MS[hops] };
          const answer = await this.#lookup.ctx.send(toldBy, addressRequest, { target, hops }, options);
          const addresses = this.#dialable(answer.addresses, toldBy);
          if (addresses.length > 0) found.push({ addresses, toldBy });
          else if (answer.addresses.length > 0) {
            reasons.push(`${short(toldBy)} told only addresses that must not be dialled`);
            this.#world.routing.judge(toldBy, 'refuted');
          } else if (answer.known) reasons.push(`${short(toldBy)} has no address that is of use here`);
          else {
            reasons.push(`${short(toldBy)} does not know it`);
            // Who never said that it knows it has not lied; and over two hops it may be the other end's lie.
            const { n2Reporters, n3Reporters } = this.#world.routing.reach(target);
            if (hops === 0 && n2Reporters.includes(toldBy)) this.#world.routing.judge(toldBy, 'refuted');
            else if (hops === 1 && [...n2Reporters, ...n3Reporters].includes(toldBy))
              this.#world.routing.judge(toldBy, 'not-reached');
          }
        } catch (error) {
          reasons.push(`${short(toldBy)}: ${codeOf(error)}`);
        }
      }),
    );
    return { found, reasons };
  }

  /** Where the reporters of a node within three hops say that it is, the nearest reporters asked alone. */
  async locate(target: NodeId, signal: AbortSignal): Promise<readonly string[]> {
    const { n2Reporters, n3Reporters } = this.#world.routing.reach(target);
    const [reporters, hops] = n2Reporters.length > 0 ? [n2Reporters, 0 as const] : [n3Reporters, 1 as const];
    if (reporters.length === 0 || this.#locating >= LOCATING_MAX) return [];
    this.#locating++;
    try {
      const { found } = await this.ask(target, reporters, hops, signal);
      return [...new Set(found.flatMap(({ addresses }) => addresses))].slice(0, ADDRESSES_TOLD_MAX);
    } finally {
      this.#locating--;
    }
  }

  async #passOn(target: NodeId, asker: NodeId, signal: AbortSignal): Promise<AddressHint | undefined> {
    const { counters } = this.#lookup.ctx;
    const reporters = this.#world.routing.reach(target).n2Reporters.filter((reporter) => reporter !== asker);
    if (reporters.length === 0) return undefined;
    if (this.#passingOn >= PASSING_ON_MAX) {
      counters.add('address-requests-not-passed-on');
      return undefined;
    }
    this.#passingOn++;
    counters.add('address-requests-passed-on');
    try {
      return (await this.ask(target, reporters, 0, signal, PASSED_ON_TO)).found[0];
    } finally {
      this.#passingOn--;
    }
  }

  /** What may go out to this peer: nothing of a scope in which we do not see it (H5). */
  #tellable(addresses: readonly string[], asker: NodeId): string[] {
    return this.#dialable(addresses, asker).slice(0, ADDRESSES_TOLD_MAX);
  }

  #dialable(addresses: readonly string[], peer: NodeId): string[] {
    const remoteAddr = this.#world.remoteAddr(peer);
    if (remoteAddr === undefined) return [];
    return addresses.filter((address) => this.#lookup.network.mayDial(address, remoteAddr));
  }
}

function short(nodeId: NodeId): string {
  return nodeId.slice(0, 8);
}
