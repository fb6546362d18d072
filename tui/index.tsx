import type { ControlClient } from '../kernel/control/client.ts';
import { connectControl } from '../kernel/control/socket-client.ts';

export type { ControlClient } from '../kernel/control/client.ts';

export interface TuiOptions {
  readonly stdout?: NodeJS.WriteStream;
  readonly stdin?: NodeJS.ReadStream;
  /** Where the node lives: a connection that drops is made anew through its control socket. */
  readonly dataDir?: string;
  /** Plain lines for screen readers instead of a screen. Default: `ITSGOIN_LINEAR=1` in the environment. */
  readonly linear?: boolean;
  /** Runs once the terminal is as it was, however the UI ended; awaited. */
  readonly onQuit?: () => void | Promise<void>;
}

/**
 * Shows the terminal UI on `client` until the user quits; resolves then. Alternate screen, cursor, raw
 * mode and wrapping are restored on every way out: quitting, signals, and a crash, which rejects.
 *
 * @throws tui/no-terminal; whatever crashed the UI.
 */
export async function runTui(client: ControlClient, options: TuiOptions = {}): Promise<void> {
  const { stdout = process.stdout, stdin = process.stdin, linear = process.env.ITSGOIN_LINEAR === '1' } = options;
  try {
    const { dataDir } = options;
    const reconnect = dataDir === undefined ? undefined : () => connectControl(dataDir);
    const { UiSession } = await import('./session.ts');
    const session = new UiSession(client, { dataDir, reconnect });
    const run = linear ? (await import('./linear.ts')).runLinear : await loadScreen();
    await run(session, stdout, stdin);
  } finally {
    await options.onQuit?.();
  }
}

/**
 * React decides when it is loaded which of its builds it is. The one for development is slower, larger,
 * and records every redraw in a list that nobody empties, which a node that runs for weeks cannot afford.
 */
async function loadScreen() {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV ??= 'production';
  try {
    return (await import('./run-screen.tsx')).runScreen;
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
  }
}
