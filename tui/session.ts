import { pluginChanged } from '../kernel/sdk/lifecycle-topics.ts';
import { every, realClock, type UiClock } from './clock.ts';
import type { ControlClient } from '../kernel/control/client.ts';
import { Backend } from './store/backend.ts';
import { Contributions } from './store/contributions.ts';
import { Diagnostics } from './store/diagnostics.ts';
import { NodeInfo } from './store/node.ts';
import { PeerCard } from './store/peer-card.ts';
import { People } from './store/people.ts';
import { PostList } from './store/post-list.ts';
import { record } from './store/post.ts';
import { isAbsent, problemOf } from './store/problem.ts';
import { Settings } from './store/settings.ts';
import { Shell } from './store/shell.ts';
import { RedrawPace } from './store/store.ts';
import { valueAt } from './store/words.ts';
import { shortId } from './format.ts';
import { safeLine } from '../kernel/sdk/kit/safe-text.ts';

/** Figures in the header and relative times. */
const STATUS_MS = 5_000;
/** People and connections are read anew at least this often (CYC-15). */
const PEOPLE_MS = 10_000;
/** Events that come in a burst lead to one reading after this time. */
const SETTLE_MS = 150;
/** Diagnostics reads much, and a mesh that grows tells much. */
const DIAGNOSTICS_SETTLE_MS = 1_000;

export interface SessionOptions {
  /** Makes a new connection after one dropped. Without it the UI ends with the connection. */
  readonly reconnect?: (() => Promise<ControlClient>) | undefined;
  /** The node's data directory, for commands typed as lines. */
  readonly dataDir?: string | undefined;
  readonly clock?: UiClock;
}

/** One run of the terminal UI: its stores, and what keeps them up to date. Knows nothing of the screen. */
export class UiSession {
  readonly backend: Backend;
  readonly contributions: Contributions;
  readonly shell: Shell;
  readonly node: NodeInfo;
  readonly feed: PostList;
  readonly mine: PostList;
  readonly people: People;
  readonly diagnostics: Diagnostics;
  readonly settings: Settings;
  readonly peerCard: PeerCard;
  readonly clock: UiClock;
  readonly dataDir: string;
  /** What the screen shows at present, told by it, for page and scroll keys. */
  view = { columns: 80, pageItems: 5, pageRows: 10, scrollMax: 0 };
  /** Ends the UI. Set by whoever runs it. */
  quit: () => void = () => {};
  /** Writes to the terminal beside the screen; used for the clipboard sequence only. */
  emit: (sequence: string) => void = () => {};
  #undo: (() => void)[] = [];
  #planned = new Map<string, () => void>();

  constructor(client: ControlClient, { reconnect, dataDir = '', clock = realClock }: SessionOptions = {}) {
    const pace = new RedrawPace(clock);
    this.clock = clock;
    this.dataDir = dataDir;
    this.backend = new Backend(client, reconnect, clock, pace);
    this.contributions = new Contributions(this.backend, pace);
    this.shell = new Shell(pace, (delayMs, run) => clock.after(delayMs, run));
    this.node = new NodeInfo(this.backend, clock, pace);
    const report = (error: Parameters<Shell['report']>[0]) => this.#report(error);
    this.feed = new PostList(this.backend, pace, { method: 'feed.list', params: () => ({}) }, report);
    const author = () => this.node.state.get().nodeId;
    const ownPosts = { method: 'post.list', params: () => (author() === '' ? undefined : { author: author() }) };
    this.mine = new PostList(this.backend, pace, ownPosts, report);
    this.people = new People(this.backend, clock, pace);
    this.diagnostics = new Diagnostics(this.backend, this.contributions, clock, pace);
    this.peerCard = new PeerCard(this.backend, pace);
    this.settings = new Settings(this.backend, this.node, this.contributions, pace);
  }

  start(): void {
    this.backend.onEnd = () => this.quit();
    this.backend.onLive = () => void this.refreshAll();
    this.#undo.push(
      this.backend.watch('events', {}, (event) => this.#happened(record(event))),
      this.backend.watch('log', {}, (event) => this.diagnostics.lines.logged(event)),
      every(this.clock, STATUS_MS, () => this.#quietly(() => this.node.refresh())),
      every(this.clock, PEOPLE_MS, () => this.#quietly(() => this.#refreshPeople())),
    );
    this.backend.open();
  }

  stop(): void {
    for (const undo of this.#undo) undo();
    for (const cancel of this.#planned.values()) cancel();
    this.backend.close();
  }

  async refreshAll(): Promise<void> {
    await this.#quietly(() => Promise.all([this.contributions.refresh(), this.node.refreshIdentity()]));
    await Promise.all([
      this.#quietly(() => this.node.refresh()),
      this.#quietly(() => this.node.refreshProfile()),
      this.feed.refresh(),
      this.mine.refresh(),
      this.#quietly(() => this.people.refresh()),
      this.#quietly(() => this.diagnostics.refresh()),
      this.#quietly(() => this.settings.refresh()),
    ]);
  }

  /** What a node is called on the screen. */
  readonly nameOf = (nodeId: string): string =>
    this.people.find(nodeId)?.name ?? this.diagnostics.nameOf(nodeId) ?? shortId(nodeId);

  /** Runs what a key asked for; what it throws is shown in the status line. */
  async attempt(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#report(problemOf(error));
    }
  }

  /** Background refreshing: a lost connection shows in the header, other failures in the status line. */
  async #quietly(work: () => Promise<unknown>): Promise<void> {
    if (this.backend.state.get().link === 'lost') return this.node.tick();
    await work().catch((error) => {
      const problem = problemOf(error);
      if (!isAbsent(problem)) this.#report(problem);
    });
  }

  #report(problem: ReturnType<typeof problemOf>): void {
    if (this.backend.state.get().link !== 'lost') this.shell.report(problem);
  }

  async #refreshPeople(): Promise<void> {
    await this.people.refresh();
    await this.#refreshShown();
  }

  #happened({ topic, atMs, event }: Record<string, unknown>): void {
    if (typeof topic !== 'string') return;
    this.diagnostics.lines.happened(topic, atMs, event);
    // The kernel's own topic, with which contributions come and go as well; what those of plugins mean, plugins say.
    if (topic === pluginChanged.name) this.#plan('everything', SETTLE_MS, () => this.refreshAll());
    const stale = new Set<string>();
    for (const { commands, params, gone } of this.contributions.stale(topic)) {
      for (const command of commands) {
        stale.add(command);
        const only = Object.values(params ?? {}).map((path) => safeLine(valueAt(event, path), 64))[0];
        if (command === 'profile.show') this.people.forgetProfile(only);
        if (command === 'post.show' && gone === true && only !== undefined) this.#forgetPost(only);
      }
    }
    for (const [name, command, refresh] of this.#readings) {
      if (stale.has(command)) this.#plan(name, SETTLE_MS, refresh);
    }
    if (this.diagnostics.concerns(topic, stale)) {
      this.#plan('diagnostics', DIAGNOSTICS_SETTLE_MS, () => this.#refreshShown());
    }
  }

  /** What is read anew when the answer of a command is stale. */
  readonly #readings: readonly (readonly [name: string, command: string, refresh: () => Promise<void>])[] = [
    ['feed', 'feed.list', () => this.feed.refresh()],
    ['mine', 'post.list', () => this.mine.refresh()],
    ['status', 'status', () => this.node.refresh()],
    ['profile', 'profile.show', () => this.node.refreshProfile()],
    ['people', 'profile.show', () => this.people.refresh()],
    ['people', 'follow.list', () => this.people.refresh()],
    ['people', 'peer.list', () => this.people.refresh()],
  ];

  #forgetPost(id: string): void {
    this.feed.remove(id);
    this.mine.remove(id);
  }

  /** Diagnostics, where somebody looks at it. */
  async #refreshShown(): Promise<void> {
    if (this.shell.state.get().tab !== 'diagnostics') return;
    await Promise.all([this.node.refresh(), this.diagnostics.refresh()]);
  }

  #plan(name: string, afterMs: number, refresh: () => Promise<void>): void {
    if (this.#planned.has(name)) return;
    const cancel = this.clock.after(afterMs, () => {
      this.#planned.delete(name);
      void this.#quietly(refresh);
    });
    this.#planned.set(name, cancel);
  }
}
