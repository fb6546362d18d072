import type { ControlClient, RunResult } from '../kernel/control/client.ts';
import type { CommandDescription } from '../kernel/control/protocol.ts';
import { codeOf, ItsgoinError } from '../kernel/sdk/errors.ts';
import { oneLine, safeJson, safeText } from '../kernel/sdk/kit/safe-text.ts';
import { cliErrors } from './errors.ts';
import type { Flag } from './flags.ts';
import { type GlobalOptions, secretVariable } from './program.ts';
import type { Terminal } from './terminal.ts';

/** What running a command needs of its surroundings. */
export interface Session {
  readonly dataDir: string;
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** The node's client. @throws control/not-running */
  client(): Promise<ControlClient>;
}

/** A stopping node closes within 5 s or is ended by its own guard. */
const EXIT_WAIT_MS = 7_000;

/** Asks what is still to be asked, runs the command, prints what it returns. */
export async function runCommand(
  session: Session,
  command: CommandDescription,
  params: Record<string, unknown>,
  missing: readonly Flag[],
  options: GlobalOptions,
): Promise<void> {
  const { terminal, signal } = session;
  if (command.kind === 'subscription') return watch(session, command, params, options);
  for (const flag of missing) params[flag.name] = await askSecret(session, command, flag);
  await takePiped(session, command, params);
  if (command.confirm !== undefined && options.yes !== true) await confirm(session, command.confirm);
  let given: RunResult;
  try {
    given = await call(session, command, params);
  } finally {
    terminal.status('');
  }
  if (signal.aborted) throw cliErrors.make('interrupted');
  if (command.name === 'shutdown') await waitForExit((given.result as { pid: number }).pid);
  if (options.json === true) terminal.out(safeJson(given.result));
  else if (given.text !== undefined) terminal.out(safeText(given.text, Number.POSITIVE_INFINITY));
  // Measuring text costs 30 ms to load: what prints none, such as a starting node, does without.
  else
    terminal.out(
      (await import('./output.ts')).formatResult(
        given.result,
        terminal.wide ? Number.POSITIVE_INFINITY : terminal.columns,
      ),
    );
  if (given.failure !== undefined) throw given.failure;
}

/** The error as the person or the script reads it: one line and a hint, or one JSON object. */
export function printError(terminal: Terminal, error: unknown, json: boolean): void {
  const known = error instanceof ItsgoinError ? error : undefined;
  const code = known?.code ?? 'cli/internal';
  const message = oneLine(error instanceof Error ? error.message : String(error));
  if (json) {
    terminal.err(JSON.stringify({ code, message, ...(known?.hint === undefined ? {} : { hint: known.hint }) }));
    return;
  }
  terminal.err(`itsgoin: ${message}${message.endsWith('.') ? '' : '.'} [${code}]`);
  if (known?.hint !== undefined) terminal.err(`  ${oneLine(known.hint)}`);
}

async function call(session: Session, command: CommandDescription, params: object): Promise<RunResult> {
  const { terminal, signal, dataDir } = session;
  const onProgress = (step: string, fraction?: number) =>
    terminal.status(
      fraction === undefined ? `${oneLine(step)} …` : `${oneLine(step)} … ${Math.round(fraction * 100)} %`,
    );
  const client = await clientFor(session, command);
  if (client !== undefined) return client.run(command.name, params, { signal, onProgress, wide: terminal.wide });
  const { runLocal } = await import('../kernel/control/api.ts');
  return runLocal(command.name, params, { signal, progress: onProgress }, dataDir, terminal);
}

/** The client of the node that runs a command, or undefined when it is run here. @throws control/not-running */
async function clientFor(session: Session, { local }: CommandDescription): Promise<ControlClient | undefined> {
  if (local === 'always') return undefined;
  try {
    return await session.client();
  } catch (error) {
    if (local === 'without-node' && codeOf(error) === 'control/not-running') return undefined;
    throw error;
  }
}

async function watch(
  session: Session,
  { name }: CommandDescription,
  params: object,
  { json = false }: GlobalOptions,
): Promise<void> {
  const { terminal, signal } = session;
  const client = await session.client();
  // A trace is for machines first: it is always one JSON object a line.
  const asJson = json || name === 'trace';
  const { formatEvent } = await import('./output.ts');
  const print = (event: unknown, dropped: number) => {
    if (dropped > 0) terminal.err(`itsgoin: ${dropped} events were dropped here: this reader is too slow`);
    terminal.out(asJson ? safeJson(event) : formatEvent(event));
  };
  const stop = await client.subscribe(name, params, print, { signal });
  const ended = await Promise.race([client.closed, new Promise<undefined>((resolve) => onAbort(signal, resolve))]);
  stop();
  if (ended !== undefined) throw ended;
}

function onAbort(signal: AbortSignal, then: (value: undefined) => void): void {
  if (signal.aborted) then(undefined);
  signal.addEventListener('abort', () => then(undefined), { once: true });
}

/** `-` in place of a text that may be long stands for what is piped in, without the line end that programs add. */
async function takePiped(
  { terminal, signal }: Session,
  { params: { properties = {} } }: CommandDescription,
  params: Record<string, unknown>,
): Promise<void> {
  for (const [name, schema] of Object.entries(properties)) {
    if (params[name] !== '-' || schema.stdin !== true || terminal.readAll === undefined) continue;
    if (terminal.interactive) terminal.err('Reading until Ctrl-D on a line of its own');
    params[name] = (await terminal.readAll(signal)).replace(/\r?\n$/, '');
  }
}

async function askSecret({ terminal, signal }: Session, command: CommandDescription, flag: Flag): Promise<string> {
  const usage = command.name.replaceAll('.', ' ');
  if (!terminal.interactive) {
    const variable = secretVariable(flag);
    throw cliErrors.make('no-passphrase', { command: usage, name: flag.name, flag: flag.flag, variable });
  }
  const first = await ask(terminal, `${flag.name}: `, signal, true);
  // What is sealed with a mistyped passphrase is lost, so it is typed twice where one is made.
  if (command.name.endsWith('.export') && (await ask(terminal, `${flag.name} again: `, signal, true)) !== first) {
    throw cliErrors.make('usage', { problem: 'The two are not the same', advice: 'Try again' });
  }
  return first;
}

async function confirm({ terminal, signal }: Session, question: string): Promise<void> {
  if (!terminal.interactive) throw cliErrors.make('unconfirmed', { question });
  const answer = await ask(terminal, `${question} [y/N] `, signal, false);
  if (!/^y(es)?$/i.test(answer.trim())) throw cliErrors.make('interrupted');
}

async function ask(terminal: Terminal, question: string, signal: AbortSignal, hidden: boolean): Promise<string> {
  try {
    return await terminal.ask(question, { hidden, signal });
  } catch (error) {
    throw error instanceof ItsgoinError ? error : cliErrors.make('interrupted', {}, error);
  }
}

/** Until the process is gone its data directory is still locked, and the next command might need it. */
async function waitForExit(pid: number): Promise<void> {
  const giveUpAt = performance.now() + EXIT_WAIT_MS;
  while (pid !== process.pid && isAlive(pid) && performance.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
