import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

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
  open(columns: number, rows: number): void {
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), '/bin/sh');
    // What is on the screen before must come back; the prompt tells that the shell reads again.
    this.keys(
      `PS1='ready> '; clear; echo before-the-ui; '${process.execPath}' '${LAUNCHER}' --data '${this.data}' --port 0; echo exit code $?`,
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

/** The process of the node that runs on a data directory. */
function nodePid(data: string): number {
  const status = execFileSync(process.execPath, [LAUNCHER, 'status', '--json', '--data', data], { encoding: 'utf8' });
  return (JSON.parse(status) as { pid: number }).pid;
}

async function startNode(t: ExecutionContext, data: string): Promise<ChildProcess> {
  const node = spawn(process.execPath, [LAUNCHER, '--daemon', '--data', data, '--port', '0'], {
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
