import { render } from 'ink';
import type { ControlClient } from '../kernel/control/client.ts';
import { connectControl } from '../kernel/control/socket-client.ts';
import { defineErrors } from '../kernel/sdk/errors.ts';
import { App } from './App.tsx';
import { runLinear } from './linear.ts';
import { Session } from './session.ts';

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

const tuiErrors = defineErrors('tui', {
  'no-terminal': {
    message: 'The terminal UI needs a terminal for input and output',
    hint: 'Use `itsgoin repl` for plain lines, or `itsgoin --daemon` for a node alone',
  },
});

/** At most 15 redraws a second. */
const REDRAWS_PER_SECOND = 15;
/** Lines wider than the screen are cut instead of wrapped, so that no text can push the frame about. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';

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
    const session = new Session(client, { dataDir, reconnect });
    if (linear) await runLinear(session, stdout, stdin);
    else await runScreen(session, stdout, stdin);
  } finally {
    await options.onQuit?.();
  }
}

async function runScreen(session: Session, stdout: NodeJS.WriteStream, stdin: NodeJS.ReadStream): Promise<void> {
  if (!stdin.isTTY || !stdout.isTTY) throw tuiErrors.make('no-terminal');
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
