import { CommanderError } from 'commander';
import type { CommandDescription } from '../kernel/control/protocol.ts';
import { cliErrors } from './errors.ts';
import { buildProgram, explainUsage } from './program.ts';
import { runCommand, type Session } from './run.ts';

/**
 * Runs one line of words against the given commands.
 *
 * @throws ItsgoinError for wrong use (cli/*) and for what the command itself throws.
 */
export async function runWords(
  session: Session,
  commands: readonly CommandDescription[],
  words: readonly string[],
): Promise<void> {
  const { terminal } = session;
  const program = buildProgram(commands, (...invocation) => runCommand(session, ...invocation), {
    writeOut: (text) => terminal.out(text.trimEnd()),
    writeErr: () => {},
    getOutHelpWidth: () => terminal.columns,
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const wrong = explainUsage(error, program, words);
    if (wrong !== undefined) throw wrong;
  }
}

/** Splits a typed line into words: quotes group, a backslash takes the next character as it is. @throws cli/open-quote */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < line.length; index++) {
    const character = line[index] as string;
    if (character === '\\' && quote !== "'" && index + 1 < line.length) word = (word ?? '') + line[++index];
    else if (quote !== '' && character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') throw cliErrors.make('open-quote');
  if (word !== undefined) words.push(word);
  return words;
}
