import { defineCommand, idParam, parseHexId, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';
import type { WormResult, WormTarget } from './api.ts';
import { wormErrors } from './errors.ts';
import type { Searcher } from './searcher.ts';

const Step = Type.Object({
  step: Type.String(),
  at_ms: Type.Integer(),
  took_ms: Type.Integer(),
  asked: Type.Integer(),
  answered: Type.Integer(),
  hits: Type.Integer(),
});
const SearchResult = Type.Object({
  kind: Type.String(),
  id: Type.String(),
  found: Type.Boolean(),
  local: Type.Boolean(),
  holder: Type.Union([Type.String(), Type.Null()]),
  addresses: Type.Array(Type.String()),
  via: Type.Array(Type.String()),
  took_ms: Type.Integer(),
  cost: Type.Object({ relay_hops: Type.Integer(), messages: Type.Integer(), dials: Type.Integer() }),
  steps: Type.Optional(Type.Array(Step)),
});

export const wormCommands = {
  'worm.explain': defineCommand({
    about: 'Say which searches run at this moment, and what the last ones came to',
    params: Type.Object({}),
    result: Type.Object({
      running: Type.Array(Type.Object({ kind: Type.String(), id: Type.String(), started_at_ms: Type.Integer() })),
      /** The latest first. */
      ended: Type.Array(
        Type.Object({
          at_ms: Type.Integer(),
          kind: Type.String(),
          id: Type.String(),
          found: Type.Boolean(),
          local: Type.Boolean(),
          holder: Type.Union([Type.String(), Type.Null()]),
          took_ms: Type.Integer(),
          messages: Type.Integer(),
        }),
      ),
    }),
  }),
  search: defineCommand({
    about: 'Look for a node, post or blob beyond three hops',
    restart: true,
    params: Type.Object({
      id: idParam(['node', 'post'], 'Node, post or blob id'),
      kind: Type.Optional(
        Type.Union([Type.Literal('node'), Type.Literal('post'), Type.Literal('blob')], {
          description: 'What the id names: node (default), post or blob',
        }),
      ),
      explain: Type.Optional(Type.Boolean({ description: 'Show the steps with their times and cost' })),
    }),
    result: SearchResult,
    positional: ['id'],
    text: printSearch,
  }),
};

/** @throws worm-search/bad-id */
export function readWormTarget(kind: WormTarget['kind'], text: string, nplus10?: readonly NodeId[]): WormTarget {
  const id = parseHexId(text);
  if (id === undefined) throw wormErrors.make('bad-id', { text: text.slice(0, 80) });
  return { kind, id, ...(nplus10 === undefined ? {} : { nplus10 }) };
}

/** What `worm explain` answers. */
export function showActivity(searcher: Pick<Searcher, 'running' | 'ended'>) {
  return {
    running: [...searcher.running()].map(({ target: { kind, id }, startedAtMs }) => ({
      kind,
      id,
      started_at_ms: startedAtMs,
    })),
    ended: searcher.ended().map(({ endedAtMs, result: { target, found, local, holder, tookMs, cost } }) => ({
      at_ms: endedAtMs,
      kind: target.kind,
      id: target.id,
      found,
      local,
      holder: holder ?? null,
      took_ms: tookMs,
      messages: cost.messages,
    })),
  };
}

export function showSearch(result: WormResult, explain: boolean): Static<typeof SearchResult> {
  const { target, found, local, holder, addresses, via, tookMs, steps, cost } = result;
  return {
    kind: target.kind,
    id: target.id,
    found,
    local,
    holder: holder ?? null,
    addresses: [...addresses],
    via: [...via],
    took_ms: tookMs,
    cost: { relay_hops: cost.relayHops, messages: cost.messages, dials: cost.dials },
    ...(explain
      ? { steps: steps.map(({ atMs, tookMs: took, ...step }) => ({ ...step, at_ms: atMs, took_ms: took })) }
      : {}),
  };
}

function printSearch(result: Static<typeof SearchResult>): string {
  const { kind, id, found, local, holder, addresses, via, took_ms, cost, steps } = result;
  const where = addresses.length > 0 ? ` at ${addresses.join(', ')}` : '';
  const known = local ? 'known here' : `found in ${took_ms} ms`;
  const lines = [
    found
      ? `${known}: ${kind === 'node' ? 'node' : `${kind} held by`} ${holder}${where}`
      : `${kind} ${id} not found in ${took_ms} ms`,
  ];
  if (via.length > 0) lines.push(`by way of ${via.join(', ')}`);
  if (steps === undefined) return lines.join('\n');
  lines.push('', 'step    from ms  took ms  asked  answered  hits');
  for (const { step, at_ms, took_ms: took, asked, answered, hits } of steps) {
    const cells = [at_ms, took, asked, answered, hits].map((value, index) =>
      String(value).padStart([9, 9, 7, 10, 6][index] ?? 8),
    );
    lines.push(step.padEnd(6) + cells.join(''));
  }
  lines.push('', `${cost.relay_hops} queries from here, ${cost.messages} in all, ${cost.dials} dials`);
  return lines.join('\n');
}
