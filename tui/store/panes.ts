import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Answers } from './answers.ts';
import { type Contributions, isAmong, type ShownAction, type ShownPane } from './contributions.ts';
import { paneRows } from './pane-rows.ts';
import { ReadAnswers } from './read-answers.ts';
import type { Row } from './rows.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

export interface PanesState {
  /** Titles in their order. */
  readonly titles: readonly string[];
  readonly rows: ReadonlyMap<string, readonly Row[]>;
}

/** The panes that plugins contribute: contributions of one title are parts of one pane. */
export class Panes {
  readonly state: Store<PanesState>;
  #contributions: Contributions;
  /** By name of the contribution. */
  readonly #read: ReadAnswers;

  constructor(contributions: Contributions, answers: Answers, pace: RedrawPace) {
    this.#contributions = contributions;
    this.#read = new ReadAnswers(answers, () => this.#show());
    this.state = createStore<PanesState>({ titles: [], rows: new Map() }, pace);
    contributions.state.subscribe(() => this.#show());
  }

  /** Reads the parts of a pane; each is shown as it comes, so that one that is slow hides no other. */
  async refresh(title: string): Promise<void> {
    const parts = this.#parts(title).filter(({ off }) => !off);
    await Promise.all(parts.map(({ name, pane }) => this.#read.read(name, pane.command, pane.params)));
  }

  async refreshAll(): Promise<void> {
    await Promise.all(this.#titles().map((title) => this.refresh(title)));
  }

  /** Whether an event, or the commands it made stale, changes what a pane shows. */
  concerns(title: string, topic: string, stale: ReadonlySet<string>): boolean {
    return this.#parts(title).some(({ pane }) => isAmong(pane.topics ?? [], topic) || stale.has(pane.command));
  }

  actions(title: string): readonly ShownAction[] {
    return this.#parts(title).flatMap(({ plugin, off, pane }) =>
      (pane.actions ?? []).map((action) => ({ ...action, plugin, off })),
    );
  }

  #titles(): readonly string[] {
    return [...new Set(this.#contributions.state.get().panes.map(({ pane }) => titleOf(pane)))];
  }

  #parts(title: string): readonly ShownPane[] {
    return this.#contributions.state.get().panes.filter(({ pane }) => titleOf(pane) === title);
  }

  #show(): void {
    const { panes } = this.#contributions.state.get();
    const titles = this.#titles();
    const rows = titles.map((title) => {
      const parts = this.#parts(title);
      return [title, parts.flatMap((part) => paneRows(part, this.#read.get(part.name), parts.length > 1))] as const;
    });
    this.#read.keep(new Set(panes.map(({ name }) => name)));
    this.state.set({ titles, rows: new Map(rows) });
  }
}

function titleOf({ title }: { readonly title: string }): string {
  return safeLine(title, 20);
}
