import { readFileSync } from 'node:fs';

/** A fenced block of a page. */
export interface Block {
  /** `README.md:94`, where its fence opens. */
  readonly place: string;
  readonly language: string;
  /** From `file=...` after the language: where its text belongs, below the folder of plugins. */
  readonly file: string | undefined;
  readonly text: string;
}

/** The fenced blocks of a markdown page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(page, 'utf8').split('\n').entries()) {
    if (!line.startsWith('```')) open?.lines.push(line);
    else if (open === undefined) open = { line: index + 1, info: line.slice(3), lines: [] };
    else {
      const [language = '', ...attributes] = open.info.split(' ');
      const file = attributes.find((attribute) => attribute.startsWith('file='))?.slice('file='.length);
      blocks.push({ place: `${page}:${open.line}`, language, file, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    }
  }
  return blocks;
}
