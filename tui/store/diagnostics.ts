import type { UiClock } from '../clock.ts';
import { safeLine } from '../safe-text.ts';
import type { Backend } from './backend.ts';
import { moveCursor, type ListCursor } from './list-cursor.ts';
import { list, numberOr, record } from './post.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** Lines kept of the log and of the traffic; older ones are dropped. */
export const LINES_MAX = 500;

export const PANES = ['Connections', 'Plugins', 'Traffic', 'Log'] as const;
export type Pane = (typeof PANES)[number];

export interface PluginRow {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  readonly state: string;
  readonly generation: number;
  readonly reason: string;
}

export interface Connection {
  readonly nodeId: string;
  readonly deviceId: string;
  readonly name: string;
  readonly kind: string;
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  readonly lastActivityMs: number;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export interface LogLine {
  readonly atMs: number;
  readonly level: (typeof LEVELS)[number];
  readonly text: string;
}

export interface FrameLine {
  readonly atMs: number;
  readonly incoming: boolean;
  readonly peer: string;
  readonly name: string;
  readonly bytes: number;
  readonly outcome: string;
}

export interface Traffic {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface DiagnosticsState {
  readonly pane: Pane;
  /** The selected line of each pane. */
  readonly selected: Readonly<Record<Pane, number>>;
  readonly connections: readonly Connection[];
  readonly plugins: readonly PluginRow[];
  readonly log: readonly LogLine[];
  readonly frames: readonly FrameLine[];
  /** Since this screen was first opened. */
  readonly traffic: Traffic;
  readonly paused: boolean;
  readonly loading: boolean;
}

/** What the node is doing, for people who want to know (UI-19, UI-20). */
export class Diagnostics {
  readonly state: Store<DiagnosticsState>;
  readonly cursor: ListCursor;
  #backend: Backend;
  #clock: UiClock;
  #pace: RedrawPace;
  #stopTrace: (() => void) | undefined;
  #traffic: Traffic = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  #newLog: readonly LogLine[] = [];
  #newFrames: readonly FrameLine[] = [];

  constructor(backend: Backend, clock: UiClock, pace: RedrawPace) {
    this.#backend = backend;
    this.#clock = clock;
    this.#pace = pace;
    this.state = createStore<DiagnosticsState>(
      {
        pane: 'Connections',
        selected: { Connections: 0, Plugins: 0, Traffic: 0, Log: 0 },
        connections: [],
        plugins: [],
        log: [],
        frames: [],
        traffic: this.#traffic,
        paused: false,
        loading: false,
      },
      pace,
    );
    this.cursor = {
      move: (delta) => this.#select(this.state.get().selected[this.state.get().pane] + delta),
      first: () => this.#select(0),
      last: () => this.#select(Number.MAX_SAFE_INTEGER),
    };
  }

  get selectedPlugin(): PluginRow | undefined {
    const { pane, plugins, selected } = this.state.get();
    return pane === 'Plugins' ? plugins[selected.Plugins] : undefined;
  }

  get selectedConnection(): Connection | undefined {
    const { pane, connections, selected } = this.state.get();
    return pane === 'Connections' ? connections[selected.Connections] : undefined;
  }

  get selectedFrame(): FrameLine | undefined {
    const { pane, frames, selected } = this.state.get();
    return pane === 'Traffic' ? frames[selected.Traffic] : undefined;
  }

  movePane(delta: number): void {
    const at = PANES.indexOf(this.state.get().pane);
    this.state.set({ pane: PANES[(at + delta + PANES.length) % PANES.length] ?? 'Connections' });
  }

  /** Starts to count traffic; every frame costs an event, so it waits until somebody looks. */
  open(): void {
    this.#stopTrace ??= this.#backend.watch('trace', {}, (event) => this.#traced(record(event)));
  }

  /** @throws what `plugin list` threw; a mesh that is off leaves no connections. */
  async refresh(): Promise<void> {
    this.state.set({ loading: true });
    try {
      const [plugins, peers] = await Promise.all([
        this.#backend.call('plugin.list').then(record),
        this.#backend.call('peer.list').then(record, () => ({}) as Record<string, unknown>),
      ]);
      this.state.set({
        plugins: list(plugins.plugins).map((raw) => readPlugin(record(raw))),
        connections: list(peers.peers).map((raw) => readConnection(record(raw))),
      });
      this.#select(this.state.get().selected[this.state.get().pane]);
    } finally {
      this.state.set({ loading: false });
    }
  }

  logged(event: unknown): void {
    const entry = record(event);
    const fields = Object.entries(record(entry.fields)).map(readField);
    const line: LogLine = {
      atMs: numberOr(entry.atMs, this.#clock.now()),
      level: LEVELS.find((level) => level === entry.level) ?? 'info',
      text: [safeLine(entry.area, 40), safeLine(entry.event, 60), ...fields].filter(Boolean).join('  '),
    };
    this.#newLog = push(line, this.#newLog);
    this.#pace.request(this.#showLines);
  }

  #traced(frame: Record<string, unknown>): void {
    const incoming = frame.direction === 'in';
    const size = numberOr(frame.bytes, 0);
    const counted = this.#traffic;
    this.#traffic = incoming
      ? { ...counted, framesIn: counted.framesIn + 1, bytesIn: counted.bytesIn + size }
      : { ...counted, framesOut: counted.framesOut + 1, bytesOut: counted.bytesOut + size };
    const line: FrameLine = {
      atMs: numberOr(frame.at_ms, this.#clock.now()),
      incoming,
      peer: safeLine(frame.peer, 64),
      name: safeLine(frame.name, 40),
      bytes: size,
      outcome: safeLine(frame.outcome, 40),
    };
    this.#newFrames = push(line, this.#newFrames);
    this.#pace.request(this.#showLines);
  }

  /** A busy node moves thousands of frames a second: they reach the screen once a redraw. */
  #showLines = (): void => {
    const { paused, log, frames } = this.state.get();
    this.state.set({ traffic: this.#traffic });
    if (paused) return;
    if (this.#newLog.length > 0) this.state.set({ log: [...this.#newLog, ...log].slice(0, LINES_MAX) });
    if (this.#newFrames.length > 0) this.state.set({ frames: [...this.#newFrames, ...frames].slice(0, LINES_MAX) });
    this.#newLog = [];
    this.#newFrames = [];
  };

  #select(index: number): void {
    const { pane, selected, connections, plugins } = this.state.get();
    const length = pane === 'Connections' ? connections.length : pane === 'Plugins' ? plugins.length : LINES_MAX;
    this.state.set({ selected: { ...selected, [pane]: moveCursor(index, 0, length) } });
  }
}

/** Puts the newest first. */
function push<T>(line: T, lines: readonly T[]): readonly T[] {
  return [line, ...lines.slice(0, LINES_MAX - 1)];
}

function readField([key, value]: [string, unknown]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${safeLine(key, 40)}=${safeLine(text, 120)}`;
}

function readPlugin(raw: Record<string, unknown>): PluginRow {
  return {
    name: safeLine(raw.name, 40),
    version: safeLine(raw.version, 20),
    about: safeLine(raw.about),
    state: safeLine(raw.state, 20),
    generation: numberOr(raw.generation, 0),
    reason: safeLine(raw.reason),
  };
}

function readConnection(raw: Record<string, unknown>): Connection {
  return {
    nodeId: safeLine(raw.node_id),
    deviceId: safeLine(raw.device_id),
    name: safeLine(raw.display_name, 64),
    kind: safeLine(raw.kind, 24),
    remoteAddr: safeLine(raw.remote_addr, 64),
    connectedAtMs: numberOr(raw.connected_at_ms, 0),
    lastActivityMs: numberOr(raw.last_activity_ms, 0),
  };
}
