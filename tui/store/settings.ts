import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Backend } from './backend.ts';
import type { Contributions, ShownAction } from './contributions.ts';
import { moveCursor, type ListCursor } from './list-cursor.ts';
import type { NodeInfo } from './node.ts';
import { record } from './post.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** Config keys shown; nobody reads more, and a config file from outside may hold any number. */
const CONFIG_ROWS_MAX = 500;

export interface SettingsRow {
  readonly section: 'Profile' | 'Identity' | 'Actions' | 'Config';
  readonly key: string;
  readonly value: string;
  readonly editable: boolean;
  readonly about: string;
  /** What enter does. */
  readonly action?: ShownAction;
}

export interface SettingsState {
  readonly config: readonly SettingsRow[];
  readonly selected: number;
}

/** Profile, identity and configuration as one list of rows. */
export class Settings {
  readonly state: Store<SettingsState>;
  readonly cursor: ListCursor;
  #backend: Backend;
  #node: NodeInfo;
  #contributions: Contributions;

  constructor(backend: Backend, node: NodeInfo, contributions: Contributions, pace: RedrawPace) {
    this.#backend = backend;
    this.#contributions = contributions;
    this.#node = node;
    this.state = createStore<SettingsState>({ config: [], selected: 0 }, pace);
    this.cursor = {
      move: (delta) => this.#select(this.state.get().selected + delta),
      first: () => this.#select(0),
      last: () => this.#select(Number.MAX_SAFE_INTEGER),
    };
  }

  rows(): readonly SettingsRow[] {
    const { name, bio, nodeId, deviceId, connect } = this.#node.state.get();
    const own = (section: SettingsRow['section'], key: string, value: string, about: string): SettingsRow => ({
      section,
      key,
      value,
      about,
      editable: section === 'Profile',
    });
    return [
      own('Profile', 'name', name, 'What others see above your posts'),
      own('Profile', 'bio', bio, 'A line about you, shown under your name'),
      // The first names all addresses; the others are parts of it.
      own('Identity', 'connect', connect[0] ?? '', 'Give this to a friend: it is all they need to reach you'),
      own('Identity', 'node id', nodeId, 'Your public key; it is you'),
      own('Identity', 'device id', deviceId, 'The key of this installation'),
      ...this.#actions(),
      ...this.state.get().config,
    ];
  }

  get selected(): SettingsRow | undefined {
    return this.rows()[this.state.get().selected];
  }

  async refresh(): Promise<void> {
    const inForce = record(record(await this.#backend.call('config.list')).settings);
    this.state.set({ config: Object.entries(inForce).slice(0, CONFIG_ROWS_MAX).map(configRow) });
  }

  #actions(): readonly SettingsRow[] {
    return this.#contributions.state
      .get()
      .actions.filter(({ where = [] }) => where.includes('settings'))
      .map((action) => ({
        section: 'Actions',
        key: safeLine(action.label, 24),
        value: action.off ? 'off' : 'now',
        editable: false,
        about: safeLine(action.about ?? action.label, 100),
        action,
      }));
  }

  #select(index: number): void {
    this.state.set({ selected: moveCursor(index, 0, this.rows().length) });
  }
}

function configRow([key, value]: [string, unknown]): SettingsRow {
  return {
    section: 'Config',
    key: safeLine(key, 80),
    value: safeLine(typeof value === 'string' ? value : JSON.stringify(value)),
    editable: true,
    about: 'Enter changes it; the node says when that takes a restart',
  };
}
