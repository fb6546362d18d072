import { render } from 'ink-testing-library';
import { createElement } from 'react';
import { App } from '../../tui/App.tsx';
import type { UiClock } from '../../tui/clock.ts';
import { UiSession } from '../../tui/session.ts';
import type { ControlClient } from '../../kernel/control/client.ts';
import { FakeNode, NOW_MS } from './fake-node.ts';

/** Time that moves only when told to. */
export class HandClock implements UiClock {
  #nowMs = NOW_MS;
  #timers: { atMs: number; run: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Moves on, running what falls due in its order and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    await settle();
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }
}

/** Lets promises, microtasks and React's work run dry. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  esc: '\u001b',
  tab: '\t',
  'shift+tab': '\u001b[Z',
  down: '\u001b[B',
  up: '\u001b[A',
  backspace: '\u007f',
  'ctrl+c': '\u0003',
  'ctrl+j': '\n',
  'ctrl+x': '\u0018',
  end: '\u001b[F',
};
/** Ink waits this long for the rest of an escape sequence before it takes a lone escape as the key. */
const ESCAPE_MS = 60;

export interface Screen {
  readonly session: UiSession;
  readonly clock: HandClock;
  /** True once the UI asked to end. */
  readonly hasQuit: () => boolean;
  /** The lines on the screen, without colours. */
  lines(): string[];
  text(): string;
  /** Frames drawn so far. */
  frames(): number;
  press(...keys: string[]): Promise<void>;
  type(text: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  close(): void;
}

/** The whole UI on a fake node, drawn to memory. */
export async function openScreen(
  node = new FakeNode(),
  columns = 80,
  rows = 24,
): Promise<Screen & { readonly node: FakeNode }> {
  return { ...(await drawUi(node, async () => node.revive(), columns, rows)), node };
}

/** The whole UI on any node. */
export async function drawUi(
  client: ControlClient,
  reconnect: () => Promise<ControlClient>,
  columns = 80,
  rows = 24,
): Promise<Screen> {
  const clock = new HandClock();
  const session = new UiSession(client, { clock, reconnect });
  let quit = false;
  session.quit = () => {
    quit = true;
  };
  const drawn = render(createElement(App, { session }));
  const screen: Screen = {
    session,
    clock,
    hasQuit: () => quit,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
    lines: () => (drawn.lastFrame() ?? '').replace(/\u001b\[[0-9;]*m/g, '').split('\n'),
    text: () => screen.lines().join('\n'),
    frames: () => drawn.frames.length,
    async press(...keys) {
      for (const key of keys) {
        drawn.stdin.write(KEYS[key] ?? key);
        if (key === 'esc') await new Promise((resolve) => setTimeout(resolve, ESCAPE_MS));
        await settle();
        await clock.advance(100);
      }
    },
    async type(text) {
      drawn.stdin.write(text);
      await settle();
      await clock.advance(100);
    },
    async resize(toColumns, toRows) {
      for (const [name, value] of Object.entries({ columns: toColumns, rows: toRows })) {
        Object.defineProperty(drawn.stdout, name, { configurable: true, get: () => value });
      }
      drawn.stdout.emit('resize');
      await settle();
    },
    close() {
      session.stop();
      drawn.unmount();
    },
  };
  await screen.resize(columns, rows);
  session.start();
  await settle();
  await clock.advance(500);
  return screen;
}
