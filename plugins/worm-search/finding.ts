import type { BodyOf, NodeId, ResponseOf } from '../../kernel/index.ts';
import type { WormKind, WormTarget } from './api.ts';
import type { Holder, wormQuery } from './messages.ts';
import { NEEDLES_MAX } from './messages.ts';
import { type Answer, FINDINGS_MAX } from './search-world.ts';

export type WormQuery = BodyOf<typeof wormQuery>;
export type WormResponse = ResponseOf<typeof wormQuery>;

/** Somebody named as the target or as a holder of it. */
export interface Finding {
  readonly kind: WormKind;
  readonly holder: NodeId;
  readonly addresses: readonly string[];
  readonly via: readonly NodeId[];
  /** Who told us; ourselves for what we know. */
  readonly toldBy: NodeId;
}

/** A random node of somebody's N2. */
export interface Referral {
  readonly id: NodeId;
  readonly addresses: readonly string[];
  readonly toldBy: NodeId;
}

/** WORM-01: the target first, then its preferred peers, each once. */
export function needlesOf({ kind, id, nplus10 = [] }: WormTarget): NodeId[] {
  return kind === 'node' ? [...new Set([id as NodeId, ...nplus10])].slice(0, NEEDLES_MAX) : [];
}

export function queryOf(target: WormTarget, searchId: string): WormQuery {
  return {
    search_id: searchId,
    needles: needlesOf(target),
    ...(target.kind === 'post' ? { post_id: target.id } : {}),
    ...(target.kind === 'blob' ? { blob_id: target.id } : {}),
    ttl: 0,
  };
}

const FIELDS = { node: 'node', post: 'post_holder', blob: 'blob_holder' } as const;

/** The first of each kind has a field of its own, the others go to `more`. */
export function responseOf(findings: readonly Finding[], mayTell: (address: string) => boolean): WormResponse {
  const response: WormResponse = {};
  const more: { kind: WormKind; holder: Holder }[] = [];
  for (const { kind, holder, addresses, via } of findings.slice(0, FINDINGS_MAX)) {
    const told: Holder = { id: holder, addresses: addresses.filter(mayTell).slice(0, 4), via: via.slice(0, 2) };
    const field = FIELDS[kind];
    if (response[field] === undefined) response[field] = told;
    else more.push({ kind, holder: told });
  }
  if (more.length > 0) response.more = more.slice(0, FINDINGS_MAX - 1);
  return response;
}

/** Reads an answer to `query`; what it did not ask for is left out. */
export function answerOf(query: WormQuery, response: WormResponse, toldBy: NodeId): Answer<Finding, Referral> {
  const { node, post_holder, blob_holder, more = [], referral, relayed = 0 } = response;
  const named: [WormKind, Holder | undefined][] = [
    ['node', node],
    ['post', post_holder],
    ['blob', blob_holder],
    ...more.map(({ kind, holder }): [WormKind, Holder] => [kind, holder]),
  ];
  const findings = named.flatMap(([kind, holder]): Finding[] => {
    if (holder === undefined || !asksFor(query, kind, holder.id)) return [];
    const via = [...new Set([...holder.via, toldBy])].filter((id) => id !== holder.id).slice(0, 2);
    return [{ kind, holder: holder.id, addresses: holder.addresses, via, toldBy }];
  });
  return {
    findings: findings.slice(0, FINDINGS_MAX),
    referral: referral === undefined ? undefined : { id: referral.id, addresses: referral.addresses, toldBy },
    relayed,
  };
}

function asksFor(query: WormQuery, kind: WormKind, holder: NodeId): boolean {
  if (kind === 'node') return query.needles.includes(holder);
  return (kind === 'post' ? query.post_id : query.blob_id) !== undefined;
}
