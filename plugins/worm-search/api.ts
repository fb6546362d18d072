import {
  definePoint,
  defineToken,
  defineTopic,
  hasMethods,
  listOf,
  NodeIdSchema,
  yesOrNo,
} from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

export type WormKind = 'node' | 'post' | 'blob';

/** What to look for. */
export interface WormTarget {
  readonly kind: WormKind;
  /** A node id, post id or blob id: 64 hex characters. */
  readonly id: string;
  /** The target node's preferred peers where the caller knows them: finding one of them finds it (NPT-07). */
  readonly nplus10?: readonly NodeId[];
}

/** One part of a search as `search <id> --explain` shows it; times count from the start of the search. */
export interface WormStep {
  readonly step: 'local' | 'burst' | 'nova' | 'verify';
  readonly atMs: number;
  readonly tookMs: number;
  /** Nodes asked, or findings tried. */
  readonly asked: number;
  readonly answered: number;
  /** Answers that named somebody, or findings that proved true. */
  readonly hits: number;
}

export interface WormCost {
  /** Queries this node sent: the burst and the nova, at most 202 (WORM-06). */
  readonly relayHops: number;
  /** Those, and what referred peers say that they sent for us. */
  readonly messages: number;
  /** Nodes dialled for the nova and to prove findings. */
  readonly dials: number;
}

export interface WormResult {
  readonly target: WormTarget;
  readonly found: boolean;
  /** The node found, or who holds the content; it was connected to, or the content fetched, unless known locally. */
  readonly holder?: NodeId;
  /** True when this node knew without asking anybody. */
  readonly local: boolean;
  /** `host:port` texts of the holder, best first; `[]` for one known locally. */
  readonly addresses: readonly string[];
  /** Who named the holder, nearest to it first: they may introduce us. */
  readonly via: readonly NodeId[];
  readonly tookMs: number;
  readonly steps: readonly WormStep[];
  readonly cost: WormCost;
}

/**
 * Where content of one kind is kept. Contributed by the plugin that keeps it, so that worm search
 * knows nothing of posts or blobs.
 */
export interface HoldingSource {
  readonly kind: 'post' | 'blob';
  /** True when this node may serve the content to anybody. */
  holds(id: string): boolean;
  /** Nodes known to hold it, such as downstream hosts (at most 100 count); `[]` when none is known. */
  holders(id: string): readonly NodeId[];
  /** Gets it from a connected node and checks it; false when that node does not have it. */
  fetch(id: string, holder: NodeId, options: { signal: AbortSignal }): Promise<boolean>;
}

export interface WormSearchService {
  /**
   * Looks for a node, post or blob beyond N3; ends within three seconds. Searches for the same target
   * share one run. A miss is a result, not an error.
   *
   * @throws worm-search/cooling-down within 5 min of a miss, worm-search/busy above IN_FLIGHT_MAX
   *   targets at once, or the signal's reason; the others who wait for the run are not disturbed.
   */
  find(target: WormTarget, options?: { signal?: AbortSignal }): Promise<WormResult>;
}

/** WORM-07: hosts of one post that are looked at. */
const HOLDERS_MAX = 100;
const KINDS: readonly string[] = ['post', 'blob'];

export const HOLDINGS = definePoint<HoldingSource>('worm-search/holdings', {
  limit: 16,
  check: (candidate) =>
    hasMethods('holds', 'holders', 'fetch')(candidate) ??
    (KINDS.includes((candidate as HoldingSource).kind) ? undefined : `its kind is none of ${KINDS.join(', ')}`),
  answers: { holds: yesOrNo, holders: listOf(NodeIdSchema, HOLDERS_MAX), fetch: yesOrNo },
});

export const WORM_SEARCH = defineToken<WormSearchService>('worm-search');

/** A search of this node has ended. */
export const wormSearched = defineTopic<WormResult>('worm-search/searched');
