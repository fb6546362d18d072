import { safeText } from '../safe-text.ts';
import type { Session } from '../session.ts';
import { list, record } from '../store/post.ts';
import { outline } from './diagnostics.ts';

/** Runs `noun verb --param value …` as the CLI would, and shows what it answers. */
export async function runCommandLine(session: Session, line: string): Promise<void> {
  const words = splitWords(line);
  if (words.length === 0) return;
  const { shell, backend } = session;
  const known = list(await backend.call('rpc.describe')).map(record);
  const found = [2, 1]
    .map((length) => ({ length, name: words.slice(0, length).join('.') }))
    .map(({ length, name }) => ({ length, spec: known.find((spec) => spec.name === name && spec.kind !== 'subscription') }))
    .find(({ spec }) => spec !== undefined);
  if (found?.spec === undefined) {
    const names = known.map((spec) => String(spec.name).replaceAll('.', ' ')).sort().join('\n');
    return shell.open({ kind: 'report', title: `There is no command "${words.slice(0, 2).join(' ')}". These are`, text: safeText(names), scroll: 0 });
  }
  const { spec, length } = found;
  const run = async () => {
    const answer = record(await backend.call('rpc.run', { command: spec.name, params: readParams(words.slice(length), spec) }));
    const text = typeof answer.text === 'string' ? safeText(answer.text) : outline(answer.result);
    shell.open({ kind: 'report', title: words.slice(0, length).join(' '), text, scroll: 0 });
  };
  if (typeof spec.confirm !== 'string') return run();
  shell.open({ kind: 'confirm', question: safeText(spec.confirm), detail: line, yes: run });
}

/** `--name value`, `--name=value`, `--flag`, and positional values in the command's order. */
function readParams(words: readonly string[], spec: Record<string, unknown>): Record<string, unknown> {
  const properties = record(record(spec.params).properties);
  const positional = list(spec.positional).map(String);
  const params: Record<string, unknown> = {};
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('--')) {
      const name = positional.shift();
      if (name === undefined) throw new Error(`"${word}" is one word too many; quote a text with spaces`);
      params[name] = typed(word, record(properties[name]).type);
      continue;
    }
    const [flag = '', inline] = word.slice(2).split(/=(.*)/s);
    const name = flag.replaceAll('-', '_') in properties ? flag.replaceAll('-', '_') : flag;
    const type = record(properties[name]).type;
    if (inline !== undefined) params[name] = typed(inline, type);
    else if (type === 'boolean') params[name] = true;
    else params[name] = typed(words[++at] ?? '', type);
  }
  return params;
}

function typed(word: string, type: unknown): unknown {
  if (type === 'integer' || type === 'number') return Number(word);
  return type === 'boolean' ? word === 'true' : word;
}

/** Words as a shell would split them: single and double quotes hold spaces together. */
export function splitWords(line: string): string[] {
  const pattern = /"((?:\\.|[^"\\])*)"|'([^']*)'|(\S+)/g;
  return [...line.matchAll(pattern)].map(([, double, single, plain]) => double?.replace(/\\(.)/g, '$1') ?? single ?? plain ?? '');
}
