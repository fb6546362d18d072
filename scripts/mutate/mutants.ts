import { existsSync, globSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type AnyNode, parse } from 'acorn';
import { fullAncestor } from 'acorn-walk';
import { seededRandom } from '../../kernel/clock/random.ts';
import { type Edit, namedMember, OPERATORS } from './operators.ts';

/** One change of one compiled file, with the place in the source that it stands for. */
export interface Mutant extends Edit {
  /** The compiled file, from the root of the project: `dist/plugins/content/pull.js`. */
  readonly file: string;
  /** `plugins/content/pull.ts:45`. */
  readonly place: string;
  /** What was there with what is around it, on one line, shortened. */
  readonly original: string;
  /** What is there in its place, likewise. */
  readonly mutated: string;
}

/** Shown on each side of a change. */
const SHOWN_CHARS = 40;
const LINE_CHARS = 110;

/** Every mutant of a folder's files, in the order of the text. */
export function mutantsOf(root: string, folder: string): Mutant[] {
  const files = globSync(`dist/${folder}/**/*.js`, { cwd: root }).sort();
  return files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    const place = placesOf(root, file);
    return editsOf(source).flatMap((edit) => {
      const at = place(source, edit.start);
      if (at === undefined) return [];
      const [before, after] = around(source, edit);
      const shown = {
        original: oneLine(before + source.slice(edit.start, edit.end) + after),
        mutated: oneLine(before + edit.text + after),
      };
      return [{ ...edit, file, place: at, ...shown }];
    });
  });
}

/** `count` of them, without repetition; the same ones for the same seed. */
export function sample(mutants: readonly Mutant[], count: number, seed: string): Mutant[] {
  const random = seededRandom(seed);
  const left = [...mutants];
  const chosen: Mutant[] = [];
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(random.integer(left.length), 1));
  return chosen;
}

/** What the operators find in a module, but for what no test should hold: logs, counters and texts for people. */
export function editsOf(source: string): Edit[] {
  const edits = new Map<string, Edit>();
  fullAncestor(parse(source, { ecmaVersion: 'latest', sourceType: 'module' }), (node, _state, ancestors) => {
    const parents = ancestors.slice(0, -1).reverse();
    if ([node, ...parents].some((each) => isForPeople(each, source))) return;
    for (const operator of OPERATORS) {
      for (const edit of operator(node, parents, source)) edits.set(`${edit.start}-${edit.end}-${edit.text}`, edit);
    }
  });
  return [...edits.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Properties that hold texts, or, as a command's `text` does, make one. */
const TEXTS = new Set(['doc', 'summary', 'about', 'description', 'title', 'problem', 'message', 'text']);

function isForPeople(node: AnyNode, source: string): boolean {
  if (node.type === 'Property') return node.key.type === 'Identifier' && TEXTS.has(node.key.name);
  if (node.type === 'ExpressionStatement') return isForPeople(node.expression, source);
  if (node.type === 'NewExpression') return node.callee.type === 'Identifier' && node.callee.name.endsWith('Error');
  if (node.type !== 'CallExpression') return false;
  if (node.callee.type === 'Identifier') return node.callee.name === 'defineErrors';
  const member = namedMember(node);
  if (member === undefined) return false;
  const object = source.slice(member.object.start, member.object.end);
  return /\b(log|logger|counters)$/.test(object) || (member.name === 'make' && object.endsWith('Errors'));
}

/**
 * Says where an offset of the compiled file is in its source: nowhere, for what the compiler added. In
 * the compiled file itself when it has no map.
 */
function placesOf(root: string, file: string): (source: string, offset: number) => string | undefined {
  const mapFile = join(root, `${file}.map`);
  const map = existsSync(mapFile) ? new SourceMap(JSON.parse(readFileSync(mapFile, 'utf8'))) : undefined;
  return (source, offset) => {
    const before = source.slice(0, offset).split('\n');
    if (map === undefined) return `${file}:${before.length}`;
    const found = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    if (!('originalSource' in found)) return undefined;
    const original = relative(root, join(root, dirname(file), found.originalSource));
    return `${original.replaceAll('\\', '/')}:${found.originalLine + 1}`;
  };
}

/** The rest of the lines that are changed, but not more than one recognises the place by. */
function around(source: string, { start, end }: Edit): [string, string] {
  const lineStart = source.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = source.indexOf('\n', end);
  const before = source.slice(lineStart, start).trimStart();
  const after = source.slice(end, lineEnd === -1 ? undefined : lineEnd);
  return [
    before.length > SHOWN_CHARS ? `…${before.slice(-SHOWN_CHARS)}` : before,
    after.length > SHOWN_CHARS ? `${after.slice(0, SHOWN_CHARS)}…` : after,
  ];
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}…` : line;
}
