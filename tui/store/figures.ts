import { FIGURE_ROWS } from '../../kernel/sdk/ui/names.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Answers } from './answers.ts';
import { type Contributions, isAmong } from './contributions.ts';
import { ReadAnswers } from './read-answers.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';
import { textOf } from './words.ts';

/** Label and value of a figure. */
export type Figure = readonly [label: string, value: string];

const FIGURES_A_ROW = 4;
/** Lines that one row of figures may take, whatever plugins contribute. */
const LINES_A_ROW = 2;

export interface FiguresState {
  /** In rows of at most four, the most important row first (UI-19). */
  readonly rows: readonly (readonly Figure[])[];
}

/** The figures that plugins contribute to the head of Diagnostics. */
export class Figures {
  readonly state: Store<FiguresState>;
  #contributions: Contributions;
  /** By command. */
  readonly #read: ReadAnswers;

  constructor(contributions: Contributions, answers: Answers, pace: RedrawPace) {
    this.#contributions = contributions;
    this.#read = new ReadAnswers(answers, () => this.#show());
    this.state = createStore<FiguresState>({ rows: [] }, pace);
    contributions.state.subscribe(() => this.#show());
  }

  async refresh(): Promise<void> {
    const { figures } = this.#contributions.state.get();
    const commands = new Set(figures.filter(({ off }) => !off).map(({ command }) => command));
    this.#read.keep(commands);
    await Promise.all([...commands].map((command) => this.#read.read(command, command)));
  }

  /** Whether an event, or the commands it made stale, changes a figure. */
  concerns(topic: string, stale: ReadonlySet<string>): boolean {
    return this.#contributions.state
      .get()
      .figures.some(({ topics = [], command }) => isAmong(topics, topic) || stale.has(command));
  }

  #show(): void {
    const { figures } = this.#contributions.state.get();
    const rows = FIGURE_ROWS.flatMap((row) => {
      const own = figures
        .filter((figure) => figure.row === row)
        .map(({ label, text, command, off }): Figure => [safeLine(label, 16), this.#value(text, command, off)]);
      const size = row === 'links' ? 1 : FIGURES_A_ROW;
      const lines = Math.min(LINES_A_ROW, Math.ceil(own.length / size));
      return Array.from({ length: lines }, (_, index) => own.slice(index * size, (index + 1) * size));
    });
    this.state.set({ rows });
  }

  #value(text: string, command: string, off: boolean): string {
    const answer = this.#read.get(command);
    if (off || (answer !== undefined && 'off' in answer)) return 'off';
    return answer !== undefined && 'value' in answer ? textOf(text, answer.value) : '–';
  }
}
