import { type Static, type TSchema, Value } from '../typebox.ts';
import { definePoint, type Point } from '../point.ts';
import { OWN_PANES } from './names.ts';
import {
  type UiAction,
  type UiActivity,
  type UiFigure,
  type UiPane,
  type UiStaleAnswers,
  uiSchemas,
} from './schemas.ts';
import { templateProblem } from './template.ts';

/**
 * The terminal UI's points. They belong to the kernel, which lists what is contributed as data over the
 * control socket (`ui list`); a screen, attached from wherever, shows it and runs the named commands.
 * A contribution of another shape refuses its plugin by name.
 */
const CONTRIBUTIONS_MAX = 64;
/** Of one contribution as JSON; all points full of them fit into one line of the control socket. */
const CONTRIBUTION_CHARS_MAX = 8_192;

/** A pane in Diagnostics: a table, or rows of text, from what a command answers. */
export const PANE: Point<UiPane> = uiPoint('pane', uiSchemas.pane, ({ title, columns, groups }) => {
  if (OWN_PANES.some((own) => own === title)) return `the screen itself has a pane ${title}`;
  return (columns === undefined) === (groups === undefined) ? 'it needs either "columns" or "groups"' : undefined;
});
/** How events read in the activity log. */
export const ACTIVITY: Point<readonly UiActivity[]> = uiPoint('activity', uiSchemas.activity);
/** Keys that run a command in Diagnostics or Settings, whatever pane is shown. */
export const ACTIONS: Point<readonly UiAction[]> = uiPoint('actions', uiSchemas.actions);
/** Figures at the head of Diagnostics. */
export const FIGURES: Point<readonly UiFigure[]> = uiPoint('figures', uiSchemas.figures);
/** After which events answers of which commands are others, for screens that show them. */
export const STALE_ANSWERS: Point<readonly UiStaleAnswers[]> = uiPoint('stale-answers', uiSchemas.stale);

export const UI_POINTS: readonly Point<unknown>[] = [PANE, ACTIVITY, ACTIONS, FIGURES, STALE_ANSWERS];

function uiPoint<Schema extends TSchema, T>(
  name: string,
  schema: Schema,
  problem: (candidate: Static<Schema>) => string | undefined = () => undefined,
): Point<T> {
  return definePoint<unknown>(`ui/${name}`, {
    limit: CONTRIBUTIONS_MAX,
    check(candidate) {
      if (!Value.Check(schema, candidate)) return misfit(schema, candidate);
      if (JSON.stringify(candidate).length > CONTRIBUTION_CHARS_MAX) {
        return `it is longer than ${CONTRIBUTION_CHARS_MAX} characters`;
      }
      return problem(candidate) ?? templatesProblem(candidate);
    },
  }) as Point<T>;
}

function misfit(schema: TSchema, candidate: unknown): string {
  const errors = Value.Errors(schema, candidate);
  const error = errors.find(({ keyword }) => keyword === 'additionalProperties') ?? errors[0];
  if (error === undefined) return 'it has another shape';
  const names = 'additionalProperties' in error.params ? ` (${String(error.params.additionalProperties)})` : '';
  return `${error.instancePath || 'it'} ${error.message}${names}`.slice(0, 300);
}

/** Names of fields that hold templates, wherever they stand. */
const TEMPLATE_FIELDS = new Set(['text', 'tag', 'confirm']);

/** The candidate fits its schema, so that it is small and not circular. */
function templatesProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const isTemplate = typeof inner === 'string' && TEMPLATE_FIELDS.has(key);
    const problem = isTemplate ? templateProblem(inner) : templatesProblem(inner);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
