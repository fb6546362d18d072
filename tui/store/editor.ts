import { graphemes } from '../wrap.ts';

/** A text being typed. The cursor counts graphemes: what the reader sees as characters. */
export interface Editor {
  readonly characters: readonly string[];
  readonly cursor: number;
}

export type Edit = (editor: Editor) => Editor;

/** Longest text that can be typed or pasted, in characters. The node has its own limit on posts. */
const CHARACTERS_MAX = 16_384;

export const EMPTY: Editor = { characters: [], cursor: 0 };

export function editorOf(text: string): Editor {
  const characters = graphemes(text);
  return { characters, cursor: characters.length };
}

export function textOf(editor: Editor): string {
  return editor.characters.join('');
}

/** Inserts safe text at the cursor; what would pass the limit is dropped. */
export function insert(text: string): Edit {
  return ({ characters, cursor }) => {
    const before = characters.slice(0, cursor).join('') + text;
    // Segmented again as a whole: a combining mark typed after its letter joins it.
    const head = graphemes(before);
    const all = [...head, ...characters.slice(cursor)].slice(0, CHARACTERS_MAX);
    return { characters: all, cursor: Math.min(head.length, all.length) };
  };
}

export const left: Edit = ({ characters, cursor }) => ({ characters, cursor: Math.max(0, cursor - 1) });
export const right: Edit = ({ characters, cursor }) => ({
  characters,
  cursor: Math.min(characters.length, cursor + 1),
});

export const lineStart: Edit = ({ characters, cursor }) => ({ characters, cursor: startOfLine(characters, cursor) });
export const lineEnd: Edit = ({ characters, cursor }) => ({ characters, cursor: endOfLine(characters, cursor) });

export const lineUp: Edit = ({ characters, cursor }) => {
  const start = startOfLine(characters, cursor);
  if (start === 0) return { characters, cursor: 0 };
  const above = startOfLine(characters, start - 1);
  return { characters, cursor: Math.min(above + (cursor - start), start - 1) };
};

export const lineDown: Edit = ({ characters, cursor }) => {
  const end = endOfLine(characters, cursor);
  if (end === characters.length) return { characters, cursor: end };
  const column = cursor - startOfLine(characters, cursor);
  return { characters, cursor: Math.min(end + 1 + column, endOfLine(characters, end + 1)) };
};

export const wordLeft: Edit = ({ characters, cursor }) => ({ characters, cursor: startOfWord(characters, cursor) });
export const wordRight: Edit = ({ characters, cursor }) => {
  let at = cursor;
  while (at < characters.length && isSpace(characters[at])) at += 1;
  while (at < characters.length && !isSpace(characters[at])) at += 1;
  return { characters, cursor: at };
};

export const deleteBack: Edit = ({ characters, cursor }) => cut(characters, cursor - 1, cursor);
export const deleteForward: Edit = ({ characters, cursor }) => ({ ...cut(characters, cursor, cursor + 1), cursor });
export const deleteWord: Edit = ({ characters, cursor }) => cut(characters, startOfWord(characters, cursor), cursor);
export const deleteToStart: Edit = ({ characters, cursor }) => cut(characters, startOfLine(characters, cursor), cursor);
export const deleteToEnd: Edit = ({ characters, cursor }) => ({
  ...cut(characters, cursor, endOfLine(characters, cursor)),
  cursor,
});

function cut(characters: readonly string[], from: number, to: number): Editor {
  const start = Math.max(0, from);
  return { characters: [...characters.slice(0, start), ...characters.slice(to)], cursor: start };
}

function startOfLine(characters: readonly string[], cursor: number): number {
  return cursor === 0 ? 0 : characters.lastIndexOf('\n', cursor - 1) + 1;
}

function endOfLine(characters: readonly string[], cursor: number): number {
  const end = characters.indexOf('\n', cursor);
  return end < 0 ? characters.length : end;
}

function startOfWord(characters: readonly string[], cursor: number): number {
  let at = cursor;
  while (at > 0 && isSpace(characters[at - 1])) at -= 1;
  while (at > 0 && !isSpace(characters[at - 1])) at -= 1;
  return at;
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\n';
}
