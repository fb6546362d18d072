import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';

/** The parts we read of what V8 writes for `NODE_V8_COVERAGE`; offsets count characters. */
interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Which of the mutants' places the processes ran that left their coverage in `folder`. */
export function reachedIn(folder: string, root: string, mutants: readonly Mutant[]): Set<Mutant> {
  const reached = new Set<Mutant>();
  const byFile = Map.groupBy(mutants, ({ file }) => file);
  for (const report of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, report), 'utf8')) as { result: readonly Script[] };
    for (const script of result) {
      for (const mutant of byFile.get(fileOf(script.url, root)) ?? []) {
        if (ran(script, mutant.start)) reached.add(mutant);
      }
    }
  }
  return reached;
}

/** From the root; a reloaded plugin's modules have their revision behind a question mark. */
function fileOf(url: string, root: string): string {
  if (!url.startsWith('file:')) return '';
  return relative(root, fileURLToPath(url.replace(/[?#].*$/, ''))).replaceAll('\\', '/');
}

/** The innermost range around the place decides. */
function ran({ functions }: Script, offset: number): boolean {
  let innermost: Range | undefined;
  for (const { ranges } of functions) {
    for (const range of ranges) {
      if (range.startOffset > offset || range.endOffset <= offset) continue;
      const size = range.endOffset - range.startOffset;
      if (innermost === undefined || size <= innermost.endOffset - innermost.startOffset) innermost = range;
    }
  }
  return innermost !== undefined && innermost.count > 0;
}
