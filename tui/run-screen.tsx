import { render } from 'ink';
import { App } from './App.tsx';
import { tuiErrors } from './errors.ts';
import type { UiSession } from './session.ts';

/** At most 15 redraws a second. */
const REDRAWS_PER_SECOND = 15;
/** Lines wider than the screen are cut instead of wrapped, so that no text can push the frame about. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';

/**
 * Draws `session` until it ends; the terminal is then as it was.
 *
 * @throws tui/no-terminal; whatever crashed the UI.
 */
export async function runScreen(
  session: UiSession,
  stdout: NodeJS.WriteStream,
  stdin: NodeJS.ReadStream,
): Promise<void> {
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
