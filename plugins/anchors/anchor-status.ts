import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';
import { isIPv6, isPublic } from './address-rules.ts';
import { declarationChanged } from './api.ts';
import type { AnchorsContext } from './context.ts';
import type { PeerDirectory } from './peer-directory.ts';

/** ANCHOR_PROBE_INTERVAL (CYC-12): a success counts for so long. */
export const PROBE_INTERVAL_MS = 30 * 60_000;
/** So many failed probes in a row withdraw the declaration (ANCH-10). */
const FAILURES_MAX = 2;

export const AnchorStatusState = Type.Object({
  declared: Type.Boolean(),
  /** What the operator said by `anchor declare`, until the node restarts. */
  operator: Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('auto')]),
  startedAtMs: Type.Integer(),
  /** 0 for never. */
  lastSuccessMs: Type.Integer(),
  failures: Type.Integer(),
});
export type AnchorStatusState = Static<typeof AnchorStatusState>;
export type OperatorWord = AnchorStatusState['operator'];

/** ANCH-05: all five or no anchor. */
export interface Checklist {
  readonly mapped_or_public_ipv6: boolean;
  readonly probed_within_30_min: boolean;
  readonly enough_mesh_peers: boolean;
  readonly up_long_enough: boolean;
  readonly not_mobile: boolean;
}

/** Whether this node tells others that it is an anchor: by the checklist, or by its operator's word. */
export class AnchorStatus {
  readonly #anchors: AnchorsContext;
  readonly #directory: PeerDirectory;
  #state: AnchorStatusState;
  #lastMapping: string | undefined;

  constructor(anchors: AnchorsContext, directory: PeerDirectory) {
    this.#anchors = anchors;
    this.#directory = directory;
    const { ctx } = anchors;
    this.#state = {
      declared: ctx.config.declare,
      operator: 'auto',
      startedAtMs: ctx.clock.now(),
      lastSuccessMs: 0,
      failures: 0,
    };
  }

  get state(): AnchorStatusState {
    return this.#state;
  }

  restore(state: AnchorStatusState): void {
    this.#state = state;
  }

  isDeclared(): boolean {
    return this.#state.declared;
  }

  /** The operator takes the decision, whatever the checklist says. */
  get isByOperator(): boolean {
    return this.#state.operator === 'on' || (this.#state.operator === 'auto' && this.#anchors.ctx.config.declare);
  }

  say(word: OperatorWord): Promise<void> {
    this.#state = { ...this.#state, operator: word };
    return this.review();
  }

  /** Where strangers can dial us: the router's mapping, else a public address of this machine. */
  async externalAddress(): Promise<string | undefined> {
    const mapping = await this.#mapping();
    if (mapping !== undefined) return mapping;
    const { network } = this.#anchors;
    const open = network.localAddresses().filter((address) => isPublic(network, address));
    // A public IPv4 on the interface is as good where the operator says so; NAT hides behind others.
    return open.find(isIPv6) ?? (this.isByOperator ? open[0] : undefined);
  }

  /** The addresses told to others: the mapping first, then those of `--bind`, config and interfaces (CONN-22, ANCH-13). */
  ownAddresses(): readonly string[] {
    const { network } = this.#anchors;
    const mapped = this.#lastMapping === undefined ? [] : [this.#lastMapping];
    const local = network.localAddresses();
    const open = local.filter((address) => isPublic(network, address));
    return [...new Set([...mapped, ...(open.length > 0 ? open : local)])].filter((address) => address.length <= 64);
  }

  async checklist(): Promise<Checklist> {
    const { ctx, network } = this.#anchors;
    const now = ctx.clock.now();
    const ipv6 = network.localAddresses().some((address) => isIPv6(address) && isPublic(network, address));
    return {
      mapped_or_public_ipv6: (await this.#mapping()) !== undefined || ipv6,
      probed_within_30_min: this.#state.lastSuccessMs > 0 && now - this.#state.lastSuccessMs <= PROBE_INTERVAL_MS,
      enough_mesh_peers: this.#directory.meshSize() >= ctx.config.minMesh,
      up_long_enough: now - this.#state.startedAtMs >= ctx.config.minUptimeMs,
      not_mobile: !ctx.config.mobile,
    };
  }

  /** The outcome of a probe. Two failures in a row withdraw (ANCH-10). */
  probed(reachable: boolean): void {
    const now = this.#anchors.ctx.clock.now();
    this.#state = reachable
      ? { ...this.#state, lastSuccessMs: now, failures: 0 }
      : { ...this.#state, failures: this.#state.failures + 1 };
    this.#anchors.ctx.background('review', this.review());
  }

  /** Looks at the checklist and at what has been lost, and declares or withdraws. */
  async review(): Promise<void> {
    const { operator, declared, failures } = this.#state;
    if (operator === 'off') return this.#set(false, 'the operator said so');
    if (this.isByOperator) return this.#set(true, 'the operator said so');
    const checklist = await this.checklist();
    // Peers that come and go, or a witness that was not to be had, do not withdraw what was proved.
    if (!checklist.mapped_or_public_ipv6) return this.#set(false, 'there is no mapping and no public IPv6 address');
    if (!checklist.not_mobile) return this.#set(false, 'this is a mobile device');
    if (failures >= FAILURES_MAX) return this.#set(false, `${failures} probes in a row failed`);
    if (!declared && Object.values(checklist).every(Boolean)) this.#set(true, 'the whole checklist holds');
    else if (declared && failures === 0 && this.#state.lastSuccessMs === 0) this.#set(false, 'it was never proved');
  }

  #set(declared: boolean, reason: string): void {
    if (this.#state.declared === declared) return;
    this.#state = { ...this.#state, declared };
    const { ctx } = this.#anchors;
    ctx.counters.add(declared ? 'declared' : 'withdrawn');
    ctx.log.info('declaration-changed', { declared, reason });
    ctx.emit(declarationChanged, { declared, reason });
  }

  async #mapping(): Promise<string | undefined> {
    const mapping = this.#anchors.ctx.deps.portMapping;
    this.#lastMapping = await mapping.tryUse((service) => service.externalAddress());
    return this.#lastMapping;
  }
}
