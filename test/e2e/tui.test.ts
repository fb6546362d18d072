import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { blocksOf } from '../docs/blocks.ts';

/** The launcher, two folders above the build that this file is part of. */
const LAUNCHER = fileURLToPath(new URL('../../../bin/itsgoin.js', import.meta.url));
/** A node starts well within a second; the rest is for a busy machine. */
const WAIT_MS = 20_000;

/** The launcher in a real terminal of its own: a tmux server on a private socket. */
class TerminalWindow {
  readonly #dir = mkdtempSync(join(tmpdir(), 'itsgoin-tui-'));
  readonly #socket = join(this.#dir, 'tmux');
  readonly data = join(this.#dir, 'data');

  constructor(t: ExecutionContext) {
    t.teardown(() => this.#end());
  }

  /** Opens a window of this size and starts the launcher in it. */
  open(columns: number, rows: number, options = '--port 0'): void {
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), '/bin/sh');
    // What is on the screen before must come back; the prompt tells that the shell reads again.
    this.keys(
      `PS1='ready> '; clear; echo before-the-ui; '${process.execPath}' '${LAUNCHER}' --data '${this.data}' ${options}; echo exit code $?`,
      'Enter',
    );
  }

  keys(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** A tmux format of the pane, such as `alternate_on` or `cursor_flag`. */
  state(name: string): string {
    return this.#tmux('display-message', '-p', `#{${name}}`).trim();
  }

  async shows(pattern: RegExp): Promise<string> {
    const endMs = Date.now() + WAIT_MS;
    for (;;) {
      const screen = this.screen();
      if (pattern.test(screen)) return screen;
      if (Date.now() > endMs) throw new Error(`The terminal never showed ${pattern}. It shows:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #tmux(...words: string[]): string {
    try {
      return execFileSync('tmux', ['-S', this.#socket, ...words], {
        encoding: 'utf8',
        env: { ...process.env, TMUX: '' },
      });
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw isMissing ? new Error('This test needs tmux: install it (apt-get install tmux, brew install tmux)') : error;
    }
  }

  #end(): void {
    try {
      this.#tmux('kill-server');
    } finally {
      rmSync(this.#dir, { recursive: true, force: true });
    }
  }
}

/** Runs a command of the node on a data directory. */
function run<R>(data: string, ...words: string[]): R {
  const printed = execFileSync(process.execPath, [LAUNCHER, ...words, '--json', '--data', data], { encoding: 'utf8' });
  return JSON.parse(printed) as R;
}

/** The process of the node that runs on a data directory. */
function nodePid(data: string): number {
  return run<{ pid: number }>(data, 'status').pid;
}

async function startNode(
  t: ExecutionContext,
  data: string,
  options: readonly string[] = ['--port', '0'],
): Promise<ChildProcess> {
  const node = spawn(process.execPath, [LAUNCHER, '--daemon', '--data', data, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => node.kill('SIGKILL'));
  await once(node.stdout, 'data');
  return node;
}

/** Everything a full-screen program may have changed is as before. */
async function isRestored(t: ExecutionContext, window: TerminalWindow): Promise<void> {
  const screen = await window.shows(/exit code \d+\n+ready>|exit code \d+\s+ready>/);
  t.regex(screen, /before-the-ui/, 'the screen from before is back');
  t.notRegex(screen, /My Posts/);
  t.is(window.state('alternate_on'), '0', 'alternate screen');
  t.is(window.state('cursor_flag'), '1', 'cursor');
  t.is(window.state('wrap_flag'), '1', 'wrapping');
  window.keys(`stty -a | tr ' ;' '\\n\\n' | grep -Ex -- '-?(icanon|echo|isig)' | tr '\\n' ' '`, 'Enter');
  await window.shows(/^(isig|icanon|echo)( (isig|icanon|echo)){2}/m);
}

test('start, post and quit in a real terminal of 80x24', async (t) => {
  const window = new TerminalWindow(t);
  window.open(80, 24);
  const started = await window.shows(/How's it goin\?/);
  t.regex(started, /1 Feed {2}2 My Posts {2}3 People/);
  await window.shows(/0 peers · 0 posts/);
  window.keys('n');
  await window.shows(/enter publish/);
  window.type('Hello from a real terminal');
  await window.shows(/Hello from a real terminal/);
  window.keys('Enter');
  await window.shows(/▌ .*you .* now {2}○ public[\s\S]*Hello from a real terminal/);
  window.keys('2');
  await window.shows(/Hello from a real terminal/);
  const lines = window.screen().split('\n');
  t.is(lines[23]?.trim(), '', 'the last line stays free');
  window.resize(40, 10);
  await window.shows(/too small/);
  window.resize(120, 40);
  await window.shows(/Hello from a real terminal/);
  window.resize(80, 24);
  await window.shows(/Hello from a real terminal/);
  window.keys('q');
  await isRestored(t, window);
  t.regex(window.screen(), /exit code 0/);
});

test('SIGTERM leaves the terminal as it was', async (t) => {
  const window = new TerminalWindow(t);
  window.open(80, 24);
  await window.shows(/How's it goin\?/);
  process.kill(nodePid(window.data), 'SIGTERM');
  await isRestored(t, window);
});

test('the terminal UI on a node of another process outlives that node and finds it again', async (t) => {
  const window = new TerminalWindow(t);
  const node = await startNode(t, window.data);
  window.open(100, 30);
  await window.shows(/● .*0 peers · 0 posts/);
  node.kill('SIGKILL');
  await window.shows(/node not reachable for \d+s, trying again/);
  await startNode(t, window.data);
  await window.shows(/● .*0 peers · 0 posts/);
  window.keys('n');
  window.type('After the node came back');
  window.keys('Enter');
  await window.shows(/▌ .*After the node came back/);
  window.keys('q');
  await isRestored(t, window);
});

test('the pane of the documentation, of an outside plugin, appears in an open screen, with its action, and survives a reload', async (t) => {
  const window = new TerminalWindow(t);
  await startNode(t, window.data);
  window.open(80, 24);
  window.keys('5');
  await window.shows(/Peers 0 {2}Growth {2}Activity/);
  const [code] = blocksOf('docs/ui-contributions.md');
  const folder = join(window.data, 'plugins', 'moods');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.ts'), code?.text ?? '');
  await window.shows(/Growth {2}Moods {2}Activity/);
  window.keys('l', 'l');
  await window.shows(/Who +Mood\s*\n▌ [0-9a-f]{8} +curious/);
  window.keys('c');
  await window.shows(/▌ [0-9a-f]{8} +glad[\s\S]*cheer up: done/);
  run(window.data, 'plugin', 'reload', 'moods');
  const { node_id: nodeId } = run<{ node_id: string }>(window.data, 'status');
  run(window.data, 'mood', 'set', '--node-id', nodeId, '--mood', 'reloaded');
  await window.shows(/▌ [0-9a-f]{8} +reloaded/);
  window.keys('l');
  await window.shows(/mood +[0-9a-f]{8} is reloaded now/);
  window.keys('h');
  run(window.data, 'plugin', 'disable', 'moods');
  await window.shows(/moods is off {2}press E/);
  window.keys('q');
  await isRestored(t, window);
});

interface Figures {
  n1: number;
  n2: number;
  n3: number;
  port: number;
}
interface SlotFigures {
  held: number;
  limit: number;
  connections: Record<string, string[]>;
}

/** The summary as the commands tell it at this moment. */
function summaryOf(data: string): RegExp {
  const { n1, n2, n3, port } = run<Figures>(data, 'status');
  const { held, limit, connections } = run<SlotFigures>(data, 'mesh', 'slots');
  const { peers } = run<{ peers: unknown[] }>(data, 'peer', 'list');
  const sessions = connections.session?.length ?? 0;
  return new RegExp(
    `mesh ${held}/${limit} [\\s\\S]*sessions ${sessions} [\\s\\S]*N1 ${n1} +N2 ${n2} +N3 ${n3} [\\s\\S]*port ${port} [\\s\\S]*Peers ${peers.length} `,
  );
}

test('Diagnostics shows the mesh as the commands tell it, asks anchors, opens peers, and outlives mesh (UI-16 to -19)', async (t) => {
  const window = new TerminalWindow(t);
  const [anchor, other] = [`${window.data}-anchor`, `${window.data}-other`];
  await startNode(t, anchor, ['--bind', '127.0.0.1:0']);
  run(anchor, 'config', 'set', 'anchors.declare', 'true');
  const { node_id: anchorId, connect } = run<{ node_id: string; connect: string[] }>(anchor, 'identity', 'show');
  const join = ['--bind', '127.0.0.1:0', '--anchors', connect[0] ?? ''];
  await startNode(t, other, join);
  const { node_id: otherId } = run<{ node_id: string }>(other, 'status');
  window.open(80, 24, join.join(' '));
  await window.shows(/2 peers · 0 posts/);
  window.keys('5');
  const shown = await window.shows(/mesh 2\/101 /);
  for (const id of [anchorId, otherId]) t.regex(shown, new RegExp(`${id.slice(0, 8)}  Mesh  mesh, non-preferred slot`));
  // Lists of peers come in meanwhile: the same is told once they have.
  const endMs = Date.now() + WAIT_MS;
  while (!summaryOf(window.data).test(window.screen())) {
    if (Date.now() > endMs) throw new Error(`Not ${summaryOf(window.data)}:\n${window.screen()}`);
    window.keys('r');
  }
  window.keys('a');
  await window.shows(/Anchors answered: \d+ nodes? reached/);
  window.keys('h', 'h');
  await window.shows(new RegExp(`→ ${anchorId.slice(0, 8)}  AnchorReferralRequest`));
  window.keys('l', 'l', 'l', 'l');
  await window.shows(new RegExp(`anchors +${anchorId.slice(0, 8)} answered \\(user\\)`));
  window.keys('Enter');
  await window.shows(new RegExp(`node id +(${anchorId}|${otherId})[\\s\\S]*reach +Mesh`));
  window.keys('Escape');
  await window.shows(/Activity/);
  run(window.data, 'plugin', 'disable', 'mesh');
  await window.shows(/mesh off [\s\S]*mesh is off {2}press E/);
  window.keys('B');
  await window.shows(/mesh is off: it is needed to rebalance/);
  window.keys('E');
  await window.shows(/mesh is on again/);
  await window.shows(/mesh [12]\/101 /);
  window.keys('B');
  await window.shows(/Rebalanced: /);
  t.is(window.screen().split('\n')[23]?.trim(), '', 'the last line stays free');
  window.keys('q');
  await isRestored(t, window);
});
