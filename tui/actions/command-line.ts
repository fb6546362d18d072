import type { Terminal } from '../../cli/terminal.ts';
import { safeText } from '../../kernel/sdk/kit/safe-text.ts';
import type { UiSession } from '../session.ts';
import { EMPTY } from '../store/editor.ts';

/** Commands may dial, sync or check the whole database; what takes longer belongs to the command line. */
const COMMAND_MS = 60_000;

/** Runs a line as the command line would, in the same words, and shows what it prints. */
export async function runCommandLine(session: UiSession, line: string): Promise<void> {
  const printed: string[] = [];
  const terminal: Terminal = {
    interactive: true,
    columns: session.view.columns,
    wide: false,
    out: (text) => void printed.push(text),
    err: (text) => void printed.push(text),
    ask: (question, { hidden = false }) => askForText(session, question, hidden),
    status: (text) => (text === '' ? undefined : session.shell.tell(text, 'plain')),
  };
  await runOn(session, terminal, line);
  session.shell.clearNotice();
  session.shell.open({ kind: 'report', title: line, text: safeText(printed.join('\n')) || 'Done.', scroll: 0 });
}

/** @throws cli/* for wrong use, and what the command throws */
export async function runOn(session: UiSession, terminal: Terminal, line: string): Promise<void> {
  // Loaded when first used: parsing command lines is no part of showing a screen.
  const { runWords, splitLine } = await import('../../cli/command-line.ts');
  const { client } = session.backend;
  const commands = (await client.describe()).filter(({ kind }) => kind === 'call');
  const words = splitLine(line).filter((word, index) => index > 0 || word !== 'itsgoin');
  const signal = AbortSignal.timeout(COMMAND_MS);
  await runWords({ dataDir: session.dataDir, terminal, signal, client: async () => client }, commands, words);
}

function askForText({ shell }: UiSession, question: string, hidden: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    shell.open({
      kind: 'prompt',
      title: safeText(question),
      placeholder: '',
      editor: EMPTY,
      hidden,
      submit: resolve,
      cancel: () => reject(new Error('Not done')),
    });
  });
}
