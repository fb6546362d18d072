import type { UiLineGroup, UiPane } from '../../kernel/sdk/ui/schemas.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Answer } from './answers.ts';
import type { ShownPane } from './contributions.ts';
import { list, numberOr } from './post.ts';
import type { Row } from './rows.ts';
import { partsOf, tell, textOf, valueAt } from './words.ts';

/** Rows shown of one list, whatever a command answers. */
export const PANE_ROWS_MAX = 500;

/** Rows of one contribution: its heading in a shared pane, then what its command answered, or why there is nothing. */
export function paneRows(shown: ShownPane, answer: Answer | undefined, isShared: boolean): readonly Row[] {
  const { pane, plugin, off } = shown;
  const head = isShared ? [title(safeLine(pane.section ?? plugin, 40))] : [];
  if (off) return [...head, note(`${plugin} is off`, 'warn')];
  if (answer === undefined) return [...head, note('reading …')];
  if ('off' in answer) return [...head, note(`${answer.off} is off`, 'warn')];
  if ('problem' in answer) return [...head, note(`${pane.command}: ${answer.problem.message}`, 'bad')];
  const rows =
    pane.columns === undefined
      ? (pane.groups ?? []).flatMap((group) => groupRows(group, answer.value))
      : tableRows(pane, answer.value);
  return [...head, ...(rows.length > 0 ? rows : [note(safeLine(pane.empty ?? 'Nothing.', 100))])];
}

function title(tag: string): Row {
  return { atMs: undefined, tag, tone: 'plain', parts: [] };
}

function note(text: string, tone: Row['tone'] = 'dim'): Row {
  return { atMs: undefined, tag: '', tone, parts: [text] };
}

function groupRows({ rows, tag = '', at, lines }: UiLineGroup, answer: unknown): readonly Row[] {
  const all = rows === undefined ? [answer] : list(valueAt(answer, rows));
  const shown = all.slice(0, PANE_ROWS_MAX).flatMap((source): Row[] => {
    const told = tell(lines, source);
    if (told === undefined) return [];
    const atMs = at === undefined ? undefined : numberOr(valueAt(source, at), undefined);
    return [{ ...told, atMs, tag: textOf(tag, source), source }];
  });
  if (at !== undefined) shown.sort((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0));
  return withRest(shown, all.length);
}

function tableRows(pane: UiPane, answer: unknown): readonly Row[] {
  const all = pane.rows === undefined ? firstList(answer) : valueAt(answer, pane.rows);
  if (!Array.isArray(all)) {
    return [note(`${pane.command} answered without a list${pane.rows === undefined ? '' : ` at ${pane.rows}`}`, 'bad')];
  }
  const columns = pane.columns ?? [];
  const shown = all.slice(0, PANE_ROWS_MAX).map((source): Row => {
    const cells = columns.map(({ text, width }) => ({ width, parts: partsOf(text, source) }));
    return { atMs: undefined, tag: '', tone: 'plain', parts: cells.flatMap(({ parts }) => parts), cells, source };
  });
  if (shown.length === 0) return [];
  const heads = columns.map(({ title: head, width }) => ({ width, parts: [safeLine(head, 24)] }));
  const header: Row = { atMs: undefined, tag: '', tone: 'dim', parts: [], cells: heads };
  return withRest([header, ...shown], all.length);
}

function withRest(rows: readonly Row[], length: number): readonly Row[] {
  return length <= PANE_ROWS_MAX ? rows : [...rows, note(`and ${length - PANE_ROWS_MAX} more`)];
}

function firstList(answer: unknown): unknown {
  if (Array.isArray(answer) || typeof answer !== 'object' || answer === null) return answer;
  return Object.values(answer).find(Array.isArray);
}
