import { Type, type Static } from '../../sdk/typebox.ts';
import type { PluginHost, PluginSummary } from '../../lifecycle/plugin-host.ts';
import type { Point } from '../../sdk/point.ts';
import { ACTIONS, ACTIVITY, FIGURES, PANE, STALE_ANSWERS, uiSchemas } from '../../sdk/ui/index.ts';
import { kernelCommand, type KernelCommands } from '../deps.ts';
import { kernelActivity, kernelFigures, kernelStale } from './kernel-ui.ts';

const from = { plugin: Type.String(), name: Type.String({ description: 'The name of the contribution' }) };

const UiContributions = Type.Object({
  panes: Type.Array(Type.Object({ ...from, pane: uiSchemas.pane })),
  activity: Type.Array(Type.Object({ ...from, entries: uiSchemas.activity })),
  actions: Type.Array(Type.Object({ ...from, entries: uiSchemas.actions })),
  figures: Type.Array(Type.Object({ ...from, entries: uiSchemas.figures })),
  stale: Type.Array(Type.Object({ ...from, entries: uiSchemas.stale })),
  plugins: Type.Array(
    Type.Object({ name: Type.String(), active: Type.Boolean(), commands: Type.Array(Type.String()) }),
    { description: 'Whose commands they are, on or off' },
  ),
});

/** What `ui list` answers. */
export type UiContributions = Static<typeof UiContributions>;

/** `ui list`: all that a screen shows beside its own, in the order of its points. */
export const uiCommands: KernelCommands = {
  'ui.list': kernelCommand(
    {
      about: 'What plugins contribute to the terminal UI: panes, figures, activity lines, actions',
      params: Type.Object({}),
      result: UiContributions,
      text: overview,
    },
    (_params, _call, { host }) => readContributions(host),
  ),
};

interface Contributors extends Pick<PluginHost, 'contributions'> {
  list(): readonly Pick<PluginSummary, 'name' | 'state' | 'commands'>[];
}

/** What the kernel and the plugins of this host contribute now. */
export function readContributions(host: Contributors): UiContributions {
  const entries = <T>(point: Point<readonly T[]>, own: readonly T[]) => [
    ...(own.length === 0 ? [] : [{ plugin: 'kernel', name: 'kernel', entries: [...own] }]),
    ...read(host, point).map(({ value, ...source }) => ({ ...source, entries: [...value] })),
  ];
  return {
    panes: read(host, PANE).map(({ value, ...source }) => ({ ...source, pane: value })),
    activity: entries(ACTIVITY, kernelActivity),
    actions: entries(ACTIONS, []),
    figures: entries(FIGURES, kernelFigures),
    stale: entries(STALE_ANSWERS, kernelStale),
    plugins: host.list().map(({ name, state, commands }) => ({
      name,
      active: state === 'active',
      commands: [...commands],
    })),
  };
}

/** Contributions as they are now: what its plugin has changed since the commit into another shape is left out. */
function read<T>(host: Contributors, point: Point<T>) {
  return host.contributions(point).flatMap((contribution) => {
    const { plugin, name } = contribution;
    const value = contribution.ask<T | undefined>((data) => structuredClone(data), undefined);
    return value === undefined || point.check(value) !== undefined ? [] : [{ plugin, name, value }];
  });
}

function overview({ panes, activity, actions, figures }: UiContributions): string {
  return [
    ...panes.map(({ plugin, pane }) => `pane ${pane.title}${pane.section ? ` / ${pane.section}` : ''}  (${plugin})`),
    ...figures.map(({ plugin, entries }) => `figures ${entries.map(({ label }) => label).join(', ')}  (${plugin})`),
    ...actions.map(
      ({ plugin, entries }) => `keys ${entries.map(({ key, label }) => `${key} ${label}`).join(', ')}  (${plugin})`,
    ),
    ...activity.map(({ plugin, entries }) => `activity ${entries.map(({ topic }) => topic).join(', ')}  (${plugin})`),
  ].join('\n');
}
