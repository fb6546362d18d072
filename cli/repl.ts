import { createInterface } from 'node:readline';
import type { ControlClient } from '../kernel/control/client.ts';
import type { CommandDescription } from '../kernel/control/protocol.ts';
import { runWords, splitLine } from './command-line.ts';
import { describeCommands } from './commands.ts';
import { cliErrors, EXIT } from './errors.ts';
import { printError, type Session } from './run.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const PROMPT = 'itsgoin> ';

/**
 * The line mode: the same commands, one a line, without full-screen drawing, so that it works with
 * screen readers and in pipes. Ends with `exit`, at the end of input, or when the node goes away.
 */
export async function runRepl(dataDir: string, client: ControlClient): Promise<number> {
  const interactive = process.stdin.isTTY === true;
  let commands = await describeCommands(client);
  const reader = createInterface({
    input: process.stdin,
    output: interactive ? process.stderr : undefined,
    terminal: interactive,
    completer: (line: string) => complete(commands, line),
  });
  let running: AbortController | undefined;
  reader.on('SIGINT', () => {
    if (running === undefined) reader.close();
    else running.abort();
  });
  const terminal = replTerminal(reader, interactive);
  void client.closed.then((reason) => {
    if (reason !== undefined) printError(terminal, reason, false);
    reader.close();
  });
  if (interactive) terminal.err('`help` lists the commands, Tab completes, Ctrl-C stops one, `exit` leaves.');
  let open = true;
  reader.on('close', () => {
    open = false;
  });
  reader.setPrompt(PROMPT);
  // Piped lines are all read, and the reader closed, before the first of them has run.
  const prompt = () => {
    if (interactive && open) reader.prompt();
  };
  prompt();
  for await (const line of reader) {
    const text = line.trim().replace(/^itsgoin\s+/, '');
    if (text === 'exit' || text === 'quit') break;
    running = new AbortController();
    const session: Session = { dataDir, terminal, signal: running.signal, client: async () => client };
    try {
      // Plugins come and go while this is open.
      commands = await describeCommands(client);
      const words = splitLine(text);
      if (words.length > 0) await runWords(session, commands, words);
    } catch (error) {
      printError(terminal, error, false);
    }
    running = undefined;
    prompt();
  }
  reader.close();
  return EXIT.ok;
}

function replTerminal(reader: ReturnType<typeof createInterface>, interactive: boolean): Terminal {
  const { readAll: _ownInput, ...terminal } = processTerminal();
  return {
    ...terminal,
    interactive,
    ask: (question, { hidden, signal }) =>
      new Promise((resolve, reject) => {
        // A typed line is shown and kept in this reader's history: no place for a secret.
        if (hidden) return reject(cliErrors.make('hidden-input'));
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        reader.question(question, { signal }, resolve);
      }),
  };
}

/** Completes the noun, then the verb. */
function complete(commands: readonly CommandDescription[], line: string): [string[], string] {
  const words = line.trimStart().split(/\s+/);
  const typed = words.join('.');
  const depth = words.length;
  const options = new Set(
    commands
      .map(({ name }) => name.split('.'))
      .flatMap((path) => (path.length >= depth ? [path.slice(0, depth).join('.')] : [])),
  );
  const hits = [...options]
    .filter((option) => option.startsWith(typed))
    .map((option) => option.split('.').at(-1) as string);
  return [hits.map((hit) => `${hit} `), words.at(-1) ?? ''];
}
