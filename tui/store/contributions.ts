import type { UiContributions } from '../../kernel/control/commands/ui.ts';
import type {
  UiAction,
  UiActivity,
  UiFigure,
  UiPane,
  UiPaneAction,
  UiStaleAnswers,
} from '../../kernel/sdk/ui/schemas.ts';
import type { Backend } from './backend.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** What comes from a plugin, and whether that plugin is off now. */
export interface Origin {
  readonly plugin: string;
  readonly off: boolean;
}
export type ShownPane = Origin & { readonly name: string; readonly pane: UiPane };
export type ShownFigure = Origin & UiFigure;
export type ShownAction = Origin & (UiAction | UiPaneAction);

export interface ContributionsState {
  readonly panes: readonly ShownPane[];
  readonly figures: readonly ShownFigure[];
  readonly actions: readonly (Origin & UiAction)[];
}

type Many<T> = readonly { readonly plugin: string; readonly name: string; readonly entries: readonly T[] }[];
type Named = { readonly plugin: string; readonly name: string };
type Plugins = UiContributions['plugins'];

/**
 * What plugins contribute to the screen (`ui list`), read anew when that changes. What a plugin that was
 * switched off had contributed stays, marked as off; what nobody contributes any more goes.
 */
export class Contributions {
  readonly state: Store<ContributionsState>;
  #backend: Backend;
  #panes: readonly (Named & { readonly pane: UiPane })[] = [];
  #figures: Many<UiFigure> = [];
  #actions: Many<UiAction> = [];
  #activity: readonly UiActivity[] = [];
  #stale: readonly UiStaleAnswers[] = [];
  #plugins: Plugins = [];

  constructor(backend: Backend, pace: RedrawPace) {
    this.#backend = backend;
    this.state = createStore<ContributionsState>({ panes: [], figures: [], actions: [] }, pace);
    backend.ownerOf = (command) => this.#plugins.find(({ commands }) => commands.includes(command))?.name;
  }

  /** @throws what `ui list` threw; what was read before stays */
  async refresh(): Promise<void> {
    const { panes, figures, actions, activity, stale, plugins } = await this.#backend.call<UiContributions>('ui.list');
    this.#plugins = plugins;
    const off = new Set(plugins.filter(({ active }) => !active).map(({ name }) => name));
    this.#panes = keepOff(this.#panes, panes, off);
    this.#figures = keepOff(this.#figures, figures, off);
    this.#actions = keepOff(this.#actions, actions, off);
    this.#activity = activity.flatMap(({ entries }) => entries);
    this.#stale = stale.flatMap(({ entries }) => entries);
    this.state.set({
      panes: this.#panes.map((one) => ({ ...one, off: off.has(one.plugin) })),
      figures: flat(this.#figures, off),
      actions: flat(this.#actions, off),
    });
  }

  /** How events of this topic read; whoever says so has a line of its own, so that nobody hides another's. */
  activity(topic: string): readonly UiActivity[] {
    return this.#activity.filter((entry) => isAmong([entry.topic], topic));
  }

  /** What an event of this topic makes stale. */
  stale(topic: string): readonly UiStaleAnswers[] {
    return this.#stale.filter(({ topics }) => isAmong(topics, topic));
  }

  /** The first plugin that is off, of those that answer these commands or of all. */
  off(commands?: readonly string[]): string | undefined {
    return this.#plugins.find(
      ({ active, commands: own }) => !active && (commands === undefined || own.some((name) => commands.includes(name))),
    )?.name;
  }
}

/** Whether a topic is among names and beginnings of names with a star. */
export function isAmong(topics: readonly string[], topic: string): boolean {
  return topics.some((name) => (name.endsWith('*') ? topic.startsWith(name.slice(0, -1)) : topic === name));
}

/** The present contributions, and between them, where they were, those of plugins that are off. */
function keepOff<T extends Named>(before: readonly T[], now: readonly T[], off: ReadonlySet<string>): readonly T[] {
  const kept = [...now];
  for (const [index, one] of before.entries()) {
    if (!off.has(one.plugin) || kept.some(({ name }) => name === one.name)) continue;
    const previous = before[index - 1]?.name;
    kept.splice(kept.findIndex(({ name }) => name === previous) + 1, 0, one);
  }
  return kept;
}

function flat<T extends object>(many: Many<T>, off: ReadonlySet<string>): readonly (Origin & T)[] {
  return many.flatMap(({ plugin, entries }) => entries.map((entry) => ({ ...entry, plugin, off: off.has(plugin) })));
}
