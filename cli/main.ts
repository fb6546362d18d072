import { Command, CommanderError } from 'commander';
import type { ControlClient } from '../kernel/control/client.ts';
import { codeOf, type ItsgoinError } from '../kernel/sdk/errors.ts';
import { chooseDataDirectory } from '../kernel/config/choose-directory.ts';
import { connectControl } from '../kernel/control/socket-client.ts';
import { NODE_VERSION } from '../kernel/version.ts';
import { runWords } from './command-line.ts';
import { describeCommands, shippedCommands } from './commands.ts';
import { cliErrors, EXIT, exitCodeOf } from './errors.ts';
import type { StartOptions } from './own-process/run-node.ts';
import { addGlobals, addNodeOptions, explainUsage, firstWord } from './program.ts';
import { printError, type Session } from './run.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Runs the command line and returns the exit code: 0, 1 for errors, 2 for wrong use. Never rejects. */
export async function main(words: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  const json = words.includes('--json');
  const interrupt = new AbortController();
  try {
    const word = firstWord(words);
    if (word === undefined && !words.includes('--help') && !words.includes('-h'))
      return await startNode(words, terminal);
    if (word === 'repl')
      return await startNode(
        words.filter((other) => other !== 'repl'),
        terminal,
        true,
      );
    process.once('SIGINT', () => interrupt.abort());
    return await runOnce(words, terminal, interrupt.signal);
  } catch (error) {
    terminal.status('');
    if (interrupt.signal.aborted) return EXIT.interrupted;
    printError(terminal, error, json);
    return exitCodeOf(error);
  }
}

async function runOnce(words: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  const dataDir = chooseDataDirectory(dataOption(words));
  let absent: ItsgoinError | undefined;
  let client: ControlClient | undefined;
  try {
    client = await connectControl(dataDir, { signal });
  } catch (error) {
    absent = error as ItsgoinError;
  }
  const session: Session = {
    ...{ dataDir, terminal, signal },
    client: async () => {
      if (client === undefined) throw absent as ItsgoinError;
      return client;
    },
  };
  try {
    const asked = firstWord(words) === 'help' ? words.filter((_word, at) => !isDataOption(words, at)) : words;
    await runWords(session, await describeCommands(client), asked);
    return EXIT.ok;
  } catch (error) {
    if (client !== undefined && codeOf(error) === cliErrors.code('usage')) await refuseSwitchedOff(client, words);
    throw error;
  } finally {
    client?.close();
  }
}

/** `help` describes all of a node's commands, and so takes its directory, but no other option. */
function isDataOption(words: readonly string[], at: number): boolean {
  return words[at] === '--data' || words[at - 1] === '--data' || words[at]?.startsWith('--data=') === true;
}

/** A command that ships but is not offered has its plugin off, which is no mistake in typing. @throws cli/plugin-off */
async function refuseSwitchedOff(client: ControlClient, words: readonly string[]): Promise<void> {
  const offered = new Set((await client.describe()).map(({ name }) => name));
  const noun = firstWord(words);
  const rest = words.slice(words.indexOf(noun ?? '') + 1);
  const name = [noun, ...rest.filter((word) => !word.startsWith('-')).slice(0, 1)].join('.');
  const missing = (await shippedCommands()).find((command) => command.name === name && !offered.has(name));
  if (missing !== undefined) {
    throw cliErrors.make('plugin-off', { command: name.replace('.', ' '), plugin: missing.plugin });
  }
}

/** `itsgoin` itself: the terminal UI where there is a terminal, a node without one elsewhere. */
async function startNode(words: readonly string[], terminal: Terminal, lineMode = false): Promise<number> {
  const options = nodeOptions(words);
  if (options === undefined) return EXIT.ok;
  const { daemon, linear, ...start } = options;
  const { runHeadless, runAttended } = await import('./own-process/run-node.ts');
  const tty = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (daemon || !(tty || lineMode)) {
    if (!daemon)
      terminal.err(
        'No terminal here: the node runs without the terminal UI. Stop it with Ctrl-C or `itsgoin shutdown`.',
      );
    return runHeadless(start, terminal);
  }
  const use = async (client: ControlClient) => {
    if (lineMode) return (await import('./repl.ts')).runRepl(start.dataDir, client);
    const { runTui } = await import('../tui/index.tsx');
    await runTui(client, { dataDir: start.dataDir, ...(linear ? { linear } : {}) });
    return EXIT.ok;
  };
  const running = await connectControl(start.dataDir).catch((error: ItsgoinError) => {
    if (error.code === 'control/not-running') return undefined;
    throw error;
  });
  if (running !== undefined) return use(running).finally(() => running.close());
  const { localClient } = await import('../kernel/control/local-client.ts');
  return runAttended(start, async (node) => {
    if (node.control === undefined) throw cliErrors.make('no-terminal', { what: 'This' });
    const client = localClient(node.control.api);
    void node.stopped.then(() => client.close());
    return use(client);
  });
}

/** What the bare command was given; `undefined` when it only asked for the version. @throws cli/usage */
function nodeOptions(words: readonly string[]): (StartOptions & { daemon: boolean; linear: boolean }) | undefined {
  const program = new Command('itsgoin')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .version(NODE_VERSION);
  addNodeOptions(addGlobals(program, []));
  try {
    program.parse([...words], { from: 'user' });
  } catch (error) {
    const wrong = error instanceof CommanderError ? explainUsage(error, program, words) : (error as ItsgoinError);
    if (wrong !== undefined) throw wrong;
    return undefined;
  }
  const { daemon = false, linear = false, safe = false, data, bind, port, maxMesh, logLevel, anchors } = program.opts();
  return {
    daemon,
    linear,
    safe,
    dataDir: chooseDataDirectory(data),
    ...(bind === undefined ? {} : { bind }),
    ...(port === undefined ? {} : { port: portNumber(port) }),
    ...(maxMesh === undefined ? {} : { settings: { mesh: { maxMesh: meshSlots(maxMesh) } } }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(anchors === undefined ? {} : { files: { 'anchors.json': JSON.stringify(anchors) } }),
  };
}

function portNumber(given: string): number {
  const port = Number(given);
  if (given.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw cliErrors.make('usage', {
    problem: `There is no port ${given}`,
    advice: 'Ports go from 0 (any free one) to 65535',
  });
}

/** The bounds of mesh.maxMesh: beyond them mesh would not start. */
function meshSlots(given: string): number {
  const slots = Number(given);
  if (given.trim() !== '' && Number.isInteger(slots) && slots >= 1 && slots <= 1_000) return slots;
  throw cliErrors.make('usage', { problem: `--max-mesh ${given} is no number of peers`, advice: 'Give 1 to 1000' });
}

/** The directory has to be known before the commands are, since the node there says which there are. */
function dataOption(words: readonly string[]): string | undefined {
  const end = words.indexOf('--');
  const seen = end < 0 ? words : words.slice(0, end);
  const joined = seen.findLast((word) => word.startsWith('--data='));
  const at = seen.lastIndexOf('--data');
  return at >= 0 ? seen[at + 1] : joined?.slice('--data='.length);
}
