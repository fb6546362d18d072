import type { Editor } from './editor.ts';
import type { Problem } from './problem.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** What lies over the current tab and takes the keys. */
export type Overlay =
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'post'; readonly id: string; readonly list: 'feed' | 'mine'; readonly scroll: number }
  | { readonly kind: 'person'; readonly nodeId: string; readonly scroll: number }
  | { readonly kind: 'report'; readonly title: string; readonly text: string; readonly scroll: number }
  | { readonly kind: 'compose' }
  | Prompt
  | Confirm;

/** A question for one line of text. */
export interface Prompt {
  readonly kind: 'prompt';
  readonly title: string;
  readonly placeholder: string;
  readonly editor: Editor;
  readonly submit: (text: string) => void | Promise<void>;
  /** Called at every change, where the effect shows at once. */
  readonly change?: (text: string) => void;
  /** Called when it is closed without an answer. */
  readonly cancel?: () => void;
  /** A secret: shown as dots. */
  readonly hidden?: boolean;
}

/** A question answered with yes or no, before what cannot be undone. */
export interface Confirm {
  readonly kind: 'confirm';
  readonly question: string;
  readonly detail: string;
  readonly yes: () => void | Promise<void>;
}

export interface Notice {
  readonly tone: 'good' | 'bad' | 'plain';
  readonly text: string;
  readonly hint: string | undefined;
  /** What `u` does while the notice stands. */
  readonly undo?: () => void | Promise<void>;
  /** The plugin that `E` enables while the notice stands. */
  readonly enable?: string;
}

export interface ShellState {
  /** Id of the tab. */
  readonly tab: string;
  readonly overlays: readonly Overlay[];
  readonly notice: Notice | undefined;
  readonly draft: Editor;
  readonly publishing: boolean;
}

/** How long a notice stands: long enough to read a hint, short enough not to be in the way. */
const NOTICE_MS = 6_000;
/** An offer to undo stands longer: it has to be read, understood and pressed. */
const UNDO_MS = 15_000;

/** Where the user is: tab, overlays, draft and the notice in the status line. */
export class Shell {
  readonly state: Store<ShellState>;
  #after: (delayMs: number, run: () => void) => () => void;
  #forget: (() => void) | undefined;

  constructor(pace: RedrawPace, after: (delayMs: number, run: () => void) => () => void) {
    this.#after = after;
    this.state = createStore<ShellState>(
      { tab: 'feed', overlays: [], notice: undefined, draft: { characters: [], cursor: 0 }, publishing: false },
      pace,
    );
  }

  get top(): Overlay | undefined {
    return this.state.get().overlays.at(-1);
  }

  /** Takes the keys from now on. The status line then tells what they do, so an old notice goes. */
  open(overlay: Overlay): void {
    this.clearNotice();
    this.state.set({ overlays: [...this.state.get().overlays, overlay] });
  }

  close(): void {
    this.state.set({ overlays: this.state.get().overlays.slice(0, -1) });
  }

  replaceTop(overlay: Overlay): void {
    this.state.set({ overlays: [...this.state.get().overlays.slice(0, -1), overlay] });
  }

  tell(text: string, tone: Notice['tone'] = 'good'): void {
    this.#notice({ tone, text, hint: undefined }, NOTICE_MS);
  }

  offerUndo(text: string, undo: () => void | Promise<void>): void {
    this.#notice({ tone: 'plain', text, hint: 'u undoes it', undo }, UNDO_MS);
  }

  /** The code stands first: it is what `docs/errors.md` explains. */
  report(problem: Problem): void {
    const text = problem.code === 'unknown' ? problem.message : `${problem.code}: ${problem.message}`;
    this.#notice({ tone: 'bad', text, hint: problem.hint }, UNDO_MS);
  }

  /** What was asked for needs a plugin that is off. */
  reportOff(plugin: string, wanted: string): void {
    const text = `${plugin} is off: it is needed to ${wanted}`;
    this.#notice({ tone: 'bad', text, hint: 'E enables it', enable: plugin }, UNDO_MS);
  }

  clearNotice(): void {
    this.#forget?.();
    this.state.set({ notice: undefined });
  }

  #notice(notice: Notice, forMs: number): void {
    this.#forget?.();
    this.state.set({ notice });
    this.#forget = this.#after(forMs, () => this.state.set({ notice: undefined }));
  }
}
