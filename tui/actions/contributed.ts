import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from '../session.ts';
import type { ShownAction } from '../store/contributions.ts';
import { problemOf } from '../store/problem.ts';
import { paramOf, tell, textOf } from '../store/words.ts';

/** How long an action's answer is waited for, where it says nothing else. */
const ACTION_MS = 15_000;

/** The actions of plugins whose keys listen now: of the pane that is shown, then of the tab. */
export function contributedActions(session: UiSession): readonly ShownAction[] {
  const { shell, diagnostics, contributions } = session;
  const { tab } = shell.state.get();
  const ofPane = tab === 'diagnostics' ? diagnostics.panes.actions(diagnostics.state.get().pane) : [];
  const ofTab = contributions.state
    .get()
    .actions.filter(({ where = ['diagnostics'] }) => where.some((id) => id === tab));
  // The first has the key, should two ask for the same.
  return [...ofPane, ...ofTab].filter(({ key }, index, all) => all.findIndex((one) => one.key === key) === index);
}

/** Runs what a plugin offers, with what the user sees of it: question, progress, outcome, and why it cannot be. */
export async function runContributed(session: UiSession, action: ShownAction): Promise<void> {
  const { shell, diagnostics } = session;
  const source = shell.state.get().tab === 'diagnostics' ? diagnostics.selectedRow?.source : undefined;
  const needsRow = Object.values(action.params ?? {}).some((value) => /\{/.test(String(value)));
  if (needsRow && source === undefined) return shell.tell('Select a row first', 'plain');
  const params = paramsOf(action, source);
  if (action.confirm === undefined) return run(session, action, params);
  shell.open({
    kind: 'confirm',
    question: safeLine(textOf(action.confirm, source)),
    detail: `${safeLine(action.label, 24)}, by the plugin ${action.plugin}`,
    yes: () => run(session, action, params),
  });
}

async function run(session: UiSession, action: ShownAction, params: object): Promise<void> {
  const { backend, diagnostics, shell } = session;
  const label = safeLine(action.label, 24);
  const busy = safeLine(action.busy ?? label, 40);
  if (diagnostics.state.get().busy.includes(busy)) return shell.tell(`Still ${busy} …`, 'plain');
  shell.tell(`${busy[0]?.toUpperCase()}${busy.slice(1)} …`, 'plain');
  try {
    const answer = await diagnostics.during(busy, () =>
      backend.call(action.command, params, action.limitMs ?? ACTION_MS),
    );
    tellDone(session, action, answer);
  } catch (error) {
    const problem = problemOf(error);
    // A service that is off belongs to another plugin than the command.
    const off = problem.code === 'lifecycle/service-off' ? diagnostics.off : backend.pluginOff(problem, action.command);
    if (problem.code === 'control/cancelled') shell.tell(`The node goes on ${busy}; Activity will tell`, 'plain');
    else if (off !== undefined) shell.reportOff(off, safeLine(action.purpose ?? label, 60));
    else throw error;
  }
  await diagnostics.refresh();
}

function tellDone({ shell, nameOf }: UiSession, { label, done }: ShownAction, answer: unknown): void {
  const told = done === undefined ? undefined : tell(done, answer);
  if (told === undefined) {
    shell.tell(`${safeLine(label, 24)}: done`);
    return;
  }
  const text = told.parts.map((part) => (typeof part === 'string' ? part : nameOf(part.nodeId))).join('');
  shell.tell(text, told.tone === 'bad' || told.tone === 'warn' ? 'bad' : 'good');
}

function paramsOf({ params = {} }: ShownAction, source: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? paramOf(value, source) : value]),
  );
}
