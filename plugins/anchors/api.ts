import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

/** A node that says it can be dialled by anybody, and where. */
export interface Anchor {
  readonly nodeId: NodeId;
  /** `host:port` texts, best first. */
  readonly addresses: readonly string[];
}

/** A row of `known_anchors`: an anchor this node was connected to. */
export interface KnownAnchor extends Anchor {
  /** Ms since the epoch. */
  readonly lastSeenMs: number;
}

/** Why anchors were asked for peers; no timer repeats it while the mesh has peers (CYC-08). */
export type BootstrapCause = 'bootstrap' | 'recovery' | 'isolation' | 'user';
/** Why a cold reachability test was made (ANCH-09). */
export type ProbeCause = 'startup' | 'mapping-changed' | 'periodic' | 'repeat' | 'inbound-failed';

export interface AnchorsService {
  /** True while this node tells others that it can be dialled by anybody. */
  isDeclared(): boolean;
  /** Anchors this node was connected to, the latest first: the order in which they are tried (ANCH-03). */
  known(): readonly KnownAnchor[];
  /** True while a peer with this id says that it is an anchor. */
  isAnchor(nodeId: NodeId): boolean;
  /**
   * Asks anchors for peers now and resolves with how many nodes it led to. A run under way is joined.
   *
   * @throws the signal's reason; the run goes on for others.
   */
  requestReferrals(options?: { signal?: AbortSignal }): Promise<number>;
}

export const ANCHORS = defineToken<AnchorsService>('anchors');

/** One run of bootstrap, recovery or isolation check has ended. */
export const rejoinEnded = defineTopic<{
  readonly cause: BootstrapCause;
  readonly tookMs: number;
  /** The anchor that answered; undefined when none did. */
  readonly anchor: NodeId | undefined;
  /** Nodes connected through its referrals. */
  readonly connected: number;
}>('anchors/rejoin-ended');

/** A cold reachability test has ended. `inconclusive` counts neither for nor against this node. */
export const probeEnded = defineTopic<{
  readonly cause: ProbeCause;
  readonly address: string;
  readonly witness: NodeId;
  readonly outcome: 'reachable' | 'unreachable' | 'inconclusive';
  readonly reason: string;
}>('anchors/probe-ended');

/** This node began to tell others that it is an anchor, or ceased to. */
export const declarationChanged = defineTopic<{ readonly declared: boolean; readonly reason: string }>(
  'anchors/declaration-changed',
);

/**
 * Seam for NAT traversal: a port mapping on the home router. Anchors asks it at each look at the
 * candidacy checklist and probes anew when the address has changed (ANCH-05, -06, -14).
 */
export interface PortMappingService {
  /** The external `host:port` the router forwards to us; undefined when there is no mapping now. */
  externalAddress(): string | undefined;
}
export const PORT_MAPPING = defineToken<PortMappingService>('port-mapping');

/**
 * Seam for NAT traversal: an introduction by an anchor to a node that the direct dial did not reach
 * (CONN-15). Resolves with true once the node is connected.
 */
export interface IntroductionService {
  introduce(target: NodeId, via: NodeId, options: { signal: AbortSignal }): Promise<boolean>;
}
export const INTRODUCTION = defineToken<IntroductionService>('introduction');
