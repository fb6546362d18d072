import { render } from 'ink';
import { App } from './App.tsx';
import type { ControlClient } from './client.ts';
import { runLinear } from './linear.ts';
import { Session } from './session.ts';

export type { ControlClient } from './client.ts';

export interface TuiOptions {
  readonly stdout?: NodeJS.WriteStream;
  readonly stdin?: NodeJS.ReadStream;
  /** Plain lines for screen readers instead of a screen. Default: `ITSGOIN_LINEAR=1` in the environment. */
  readonly linear?: boolean;
  /** Runs once the terminal is as it was, however the UI ended; awaited. */
  readonly onQuit?: () => void | Promise<void>;
}

/** At most 15 redraws a second. */
const REDRAWS_PER_SECOND = 15;
/** Lines wider than the screen are cut instead of wrapped, so that no text can push the frame about. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';

/**
 * Shows the terminal UI on `client` until the user quits; resolves then. Alternate screen, cursor, raw
 * mode and wrapping are restored on every way out: quitting, signals, and a crash, which rejects.
 *
 * @throws Error with a hint when input or output is no terminal; whatever crashed the UI.
 */
export async function runTui(client: ControlClient, options: TuiOptions = {}): Promise<void> {
  const { stdout = process.stdout, stdin = process.stdin, linear = process.env.ITSGOIN_LINEAR === '1' } = options;
  try {
    if (linear) await runLinear(client, { stdout, stdin });
    else await runScreen(client, stdout, stdin);
  } finally {
    await options.onQuit?.();
  }
}

async function runScreen(client: ControlClient, stdout: NodeJS.WriteStream, stdin: NodeJS.ReadStream): Promise<void> {
  if (!stdin.isTTY || !stdout.isTTY) throw new Error('The terminal UI needs a terminal; use --linear for plain lines');
  const session = new Session(client);
  session.emit = (sequence) => void stdout.write(sequence);
  const restoreWrap = () => void stdout.write(WRAP_ON);
  const app = render(<App session={session} />, {
    stdout,
    stdin,
    alternateScreen: true,
    interactive: true,
    exitOnCtrlC: false,
    maxFps: REDRAWS_PER_SECOND,
    incrementalRendering: true,
  });
  stdout.write(WRAP_OFF);
  process.once('exit', restoreWrap);
  session.quit = () => app.unmount();
  const removeSignals = onEndSignals(() => app.unmount());
  session.start();
  try {
    await app.waitUntilExit();
  } finally {
    session.stop();
    removeSignals();
    process.off('exit', restoreWrap);
    restoreWrap();
    stdin.unref?.();
  }
}

/** A signal ends the UI as quitting does, so that what runs after it, such as stopping the node, still runs. */
function onEndSignals(end: () => void): () => void {
  const signals = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
  for (const signal of signals) process.on(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}
