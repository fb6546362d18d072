import { safeLine } from '../safe-text.ts';
import { growthTold, searchTold } from './activity.ts';
import { list, numberOr, record } from './post.ts';
import type { Part, Row } from './rows.ts';

type Fields = Record<string, unknown>;

/** Rows of one list; the commands give twenty at most. */
const ROWS_MAX = 30;

/**
 * The Growth pane: what is tried, what became of the last attempts and why, who is next; then the
 * searches, and the last times anchors were asked. `undefined` stands for a plugin that is off.
 */
export function growthRows(
  growth: Fields | undefined,
  searches: Fields | undefined,
  anchors: Fields | undefined,
): readonly Row[] {
  return [
    ...section('Growth', growth, 'mesh', ofGrowth),
    ...section('Searches', searches, 'worm-search', ofSearches),
    ...section('Anchors asked', anchors, 'anchors', ofAnchors),
  ];
}

function section(title: string, fields: Fields | undefined, plugin: string, rows: (fields: Fields) => Row[]): Row[] {
  const head: Row = { atMs: undefined, tag: title, tone: 'plain', parts: [] };
  return [head, ...(fields === undefined ? [note('', `${plugin} is off`)] : rows(fields))];
}

function note(tag: string, ...parts: readonly Part[]): Row {
  return { atMs: undefined, tag, tone: 'dim', parts };
}

function rowsOf(raw: unknown, row: (fields: Fields) => Row): Row[] {
  return list(raw)
    .slice(0, ROWS_MAX)
    .map((fields) => row(record(fields)));
}

function ofGrowth(growth: Fields): Row[] {
  const figure = (name: string): number => numberOr(growth[name], 0);
  const node = ({ node_id }: Fields): Part => ({ nodeId: safeLine(node_id) });
  const score = (fields: Fields): string => numberOr(fields.score, 0).toFixed(2);
  return [
    note('now', safeLine(growth.verdict)),
    note(
      '',
      `${figure('used')} of ${figure('slots')} slots, grows at once below ${figure('reactive_below')}; ${figure('failures')} failed and ${figure('refusals')} refused in a row, ${figure('skipped')} left alone`,
    ),
    ...rowsOf(growth.trying, (one) => note('trying', node(one), `; ${safeLine(one.why, 20)}, score ${score(one)}`)),
    ...rowsOf(growth.tried, (one) => ({ atMs: numberOr(one.at_ms, undefined), tag: 'tried', ...growthTold(one) })),
    ...rowsOf(growth.candidates, (one) =>
      note(
        'next',
        node(one),
        `; score ${score(one)}, named by ${numberOr(one.reporters, 0)}${one.in_n3 === true ? ', also in N3' : ''}`,
      ),
    ),
  ];
}

function ofSearches(searches: Fields): Row[] {
  const rows = [
    ...rowsOf(searches.running, ({ kind, id, started_at_ms }) => ({
      ...note(
        'running',
        ...(kind === 'node' ? [{ nodeId: safeLine(id) }] : [`${safeLine(kind, 8)} ${safeLine(id, 8)}`]),
      ),
      atMs: numberOr(started_at_ms, undefined),
    })),
    ...rowsOf(searches.ended, (one) => ({ atMs: numberOr(one.at_ms, undefined), tag: 'ended', ...searchTold(one) })),
  ];
  return rows.length > 0 ? rows : [note('', 'none yet')];
}

function ofAnchors(anchors: Fields): Row[] {
  const rows = rowsOf(anchors.rejoins, (run): Row => {
    const steps = list(run.steps).slice(0, 4).map(record);
    const parts = steps.flatMap((step, index): Part[] => [
      `${index === 0 ? '' : ', '}${safeLine(step.what, 12)} `,
      { nodeId: safeLine(step.node_id) },
      ` ${safeLine(step.result, 60)}`,
    ]);
    const more = list(run.steps).length - steps.length;
    const none = steps.length === 0 ? ['nobody to ask'] : more > 0 ? [`, and ${more} more`] : [];
    const tone = steps.some(({ result }) => result === 'connected') ? 'good' : 'warn';
    return { atMs: numberOr(run.at_ms, undefined), tag: safeLine(run.cause, 12), tone, parts: [...parts, ...none] };
  });
  return rows.length > 0 ? rows.reverse() : [note('', 'none yet')];
}
