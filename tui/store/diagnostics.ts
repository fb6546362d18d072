import { OWN_PANES } from '../../kernel/sdk/ui/names.ts';
import type { UiClock } from '../clock.ts';
import { Answers } from './answers.ts';
import type { Backend } from './backend.ts';
import type { Contributions } from './contributions.ts';
import { Figures } from './figures.ts';
import { type LogLine, type PluginRow, readPlugin } from './lines.ts';
import { moveCursor, type ListCursor } from './list-cursor.ts';
import { LiveLines } from './live-lines.ts';
import { Panes } from './panes.ts';
import { readContact, readPeer, type Peer } from './peer.ts';
import { list, record } from './post.ts';
import { isAbsent, problemOf } from './problem.ts';
import { countStops, nodeAt, stopAt, type Row } from './rows.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

export interface DiagnosticsState {
  /** Title of the pane that is shown: one of the screen's own, or a contributed one. */
  readonly pane: string;
  /** The cursor of each pane that has been moved: a line, or in panes of rows one of their stops. */
  readonly selected: ReadonlyMap<string, number>;
  readonly peers: readonly Peer[];
  /** The plugin that would know the peers, and is off. */
  readonly peersOff: string | undefined;
  readonly plugins: readonly PluginRow[];
  /** What is being waited for, as the user asked. */
  readonly busy: readonly string[];
}

/** Contacts that are not connected whose reach is asked for and shown. */
const CONTACTS_MAX = 50;
/** The commands that the pane of peers reads. */
const PEER_COMMANDS = ['peer.list', 'follow.list', 'peer.reach'];

/** What the node is doing, for people who want to know (UI-16 to UI-20). */
export class Diagnostics {
  readonly state: Store<DiagnosticsState>;
  readonly cursor: ListCursor;
  readonly panes: Panes;
  readonly figures: Figures;
  readonly lines: LiveLines;
  #backend: Backend;
  #contributions: Contributions;

  constructor(backend: Backend, contributions: Contributions, clock: UiClock, pace: RedrawPace) {
    const answers = new Answers(backend);
    this.panes = new Panes(contributions, answers, pace);
    this.figures = new Figures(contributions, answers, pace);
    this.#backend = backend;
    this.#contributions = contributions;
    this.lines = new LiveLines(backend, contributions, clock, pace);
    this.lines.onActivity = (rows) => this.#keepPlace(rows);
    this.state = createStore<DiagnosticsState>(
      {
        pane: 'Peers',
        selected: new Map(),
        peers: [],
        peersOff: undefined,
        plugins: [],
        busy: [],
      },
      pace,
    );
    this.cursor = {
      move: (delta) => this.#select(this.#index() + delta),
      first: () => this.#select(0),
      last: () => this.#select(Number.MAX_SAFE_INTEGER),
    };
  }

  get selectedPlugin(): PluginRow | undefined {
    const { pane, plugins } = this.state.get();
    return pane === 'Plugins' ? plugins[this.#index()] : undefined;
  }

  /** The node under the cursor, in whatever pane names nodes (UI-16). */
  get selectedNode(): string | undefined {
    const { pane, peers } = this.state.get();
    if (pane === 'Peers') return peers[this.#index()]?.nodeId;
    if (pane === 'Traffic') return this.lines.state.get().frames[this.#index()]?.peer;
    return nodeAt(this.#rows(), this.#index());
  }

  /** The row under the cursor. */
  get selectedRow(): Row | undefined {
    const rows = this.#rows();
    return rows[stopAt(rows, this.#index()).row];
  }

  get selectedLogLine(): LogLine | undefined {
    return this.state.get().pane === 'Log' ? this.lines.state.get().log[this.#index()] : undefined;
  }

  /** The first plugin behind this tab that is off. */
  get off(): string | undefined {
    const { panes, figures, actions } = this.#contributions.state.get();
    return this.#contributions.off(['peer.list']) ?? [...figures, ...panes, ...actions].find(({ off }) => off)?.plugin;
  }

  /** The panes in their order. */
  get titles(): readonly string[] {
    const [first, ...others] = OWN_PANES;
    return [first, ...this.panes.state.get().titles, ...others];
  }

  /** What a node is called here, where it is known. */
  nameOf(nodeId: string): string | undefined {
    return this.state.get().peers.find((peer) => peer.nodeId === nodeId)?.name || undefined;
  }

  /** Goes to the next pane, and reads it where it is a contributed one. */
  async movePane(delta: number): Promise<void> {
    const { titles } = this;
    const at = Math.max(0, titles.indexOf(this.state.get().pane));
    const pane = titles[(at + delta + titles.length) % titles.length] ?? OWN_PANES[0];
    this.state.set({ pane });
    await this.panes.refresh(pane);
  }

  /** Whether an event, or the commands it made stale, changes what this tab shows now. */
  concerns(topic: string, stale: ReadonlySet<string>): boolean {
    return (
      PEER_COMMANDS.some((command) => stale.has(command)) ||
      this.figures.concerns(topic, stale) ||
      this.panes.concerns(this.state.get().pane, topic, stale)
    );
  }

  /** @throws what `plugin list` threw; what a plugin that is off would tell is left out. */
  async refresh(): Promise<void> {
    await Promise.all([
      this.#refreshPlugins(),
      this.#refreshPeers(),
      this.figures.refresh(),
      this.panes.refresh(this.state.get().pane),
    ]);
    this.#select(this.#index());
  }

  async #refreshPlugins(): Promise<void> {
    const { plugins } = record(await this.#backend.call('plugin.list'));
    this.state.set({ plugins: list(plugins).map((raw) => readPlugin(record(raw))) });
  }

  async #refreshPeers(): Promise<void> {
    const [peers, follows] = await Promise.all([this.#ask('peer.list'), this.#ask('follow.list')]);
    const connected = list(peers?.peers).map((raw) => readPeer(record(raw)));
    const contacts = peers === undefined ? [] : await this.#contacts(connected, list(follows?.follows).map(record));
    const selected = this.state.get().peers[this.state.get().selected.get('Peers') ?? 0];
    this.state.set({
      peers: [...connected, ...contacts],
      peersOff: peers === undefined ? this.#backend.ownerOf('peer.list') : undefined,
    });
    const found = this.state.get().peers.findIndex((peer) => keyOfPeer(peer) === keyOfPeer(selected));
    if (found >= 0) this.#place('Peers', found);
  }

  /** Shows `busy` while `work` goes on. */
  async during<T>(busy: string, work: () => Promise<T>): Promise<T> {
    this.state.set({ busy: [...this.state.get().busy, busy] });
    try {
      return await work();
    } finally {
      this.state.set({ busy: this.state.get().busy.filter((one) => one !== busy) });
    }
  }

  /** Above the first line the cursor stays with what it is on, so that enter opens what was meant. */
  #keepPlace(rows: readonly Row[]): void {
    const at = this.state.get().selected.get('Activity') ?? 0;
    if (at > 0) this.#place('Activity', at + countStops(rows));
  }

  async #contacts(connected: readonly Peer[], follows: readonly Record<string, unknown>[]): Promise<Peer[]> {
    const here = new Set(connected.map(({ nodeId }) => nodeId));
    const away = follows.filter(({ node_id }) => !here.has(String(node_id))).slice(0, CONTACTS_MAX);
    return Promise.all(
      away.map(async (follow) =>
        readContact(follow, (await this.#ask('peer.reach', { node_id: follow.node_id }))?.reach),
      ),
    );
  }

  /** @throws what the command threw, but for its plugin being off: that returns `undefined` */
  async #ask(method: string, params: object = {}): Promise<Record<string, unknown> | undefined> {
    try {
      return record(await this.#backend.call(method, params));
    } catch (error) {
      if (!isAbsent(problemOf(error))) throw error;
      return undefined;
    }
  }

  #rows(): readonly Row[] {
    const { pane } = this.state.get();
    return pane === 'Activity' ? this.lines.state.get().activity : (this.panes.state.get().rows.get(pane) ?? []);
  }

  #index(): number {
    const { pane, selected } = this.state.get();
    return Math.max(0, Math.min(selected.get(pane) ?? 0, this.#length() - 1));
  }

  #length(): number {
    const { pane, peers, plugins } = this.state.get();
    const { frames, log } = this.lines.state.get();
    const lists = new Map<string, readonly unknown[]>([
      ['Peers', peers],
      ['Plugins', plugins],
      ['Traffic', frames],
      ['Log', log],
    ]);
    return lists.get(pane)?.length ?? countStops(this.#rows());
  }

  #select(index: number): void {
    this.#place(this.state.get().pane, moveCursor(index, 0, this.#length()));
  }

  #place(pane: string, index: number): void {
    this.state.set({ selected: new Map([...this.state.get().selected, [pane, index]]) });
  }
}

/** One device of a node. */
export function keyOfPeer(peer: Peer | undefined): string {
  return peer === undefined ? '' : `${peer.nodeId} ${peer.deviceId}`;
}
