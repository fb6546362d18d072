import { Text } from 'ink';
import type { Editor } from '../store/editor.ts';
import { THEME } from '../theme.ts';
import { columnsOf } from '../wrap.ts';
import { Line } from './Line.tsx';

export interface TextFieldProps {
  readonly editor: Editor;
  readonly columns: number;
  readonly rows: number;
  readonly placeholder: string;
}

/** The text being written with its cursor, scrolled so that the cursor is seen. */
export function TextField({ editor, columns, rows, placeholder }: TextFieldProps) {
  if (editor.characters.length === 0) {
    return (
      <>
        <Line>
          <Text inverse>{placeholder.slice(0, 1) || ' '}</Text>
          <Text color={THEME.dim}>{placeholder.slice(1)}</Text>
        </Line>
        {Array.from({ length: rows - 1 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
          <Line key={index} />
        ))}
      </>
    );
  }
  const { lines, row, column } = layout(editor, Math.max(1, columns - 1));
  const first = Math.max(0, Math.min(row - rows + 1, lines.length - 1));
  return (
    <>
      {Array.from({ length: rows }, (_, offset) => {
        const index = first + offset;
        const line = lines[index] ?? [];
        if (index !== row) return <Line key={index}>{line.join('') || ' '}</Line>;
        return (
          <Line key={index}>
            {line.slice(0, column).join('')}
            <Text inverse>{line[column] ?? ' '}</Text>
            {line.slice(column + 1).join('')}
          </Line>
        );
      })}
    </>
  );
}

/** Lines a text takes in a field of this width. */
export function fieldRows(editor: Editor, columns: number): number {
  return layout(editor, Math.max(1, columns - 1)).lines.length;
}

interface Layout {
  readonly lines: readonly (readonly string[])[];
  readonly row: number;
  readonly column: number;
}

/** Breaks at the edge and not at words: the cursor then never jumps while one types. */
function layout({ characters, cursor }: Editor, columns: number): Layout {
  const lines: string[][] = [[]];
  let used = 0;
  let at = { row: 0, column: 0 };
  characters.forEach((character, index) => {
    const width = character === '\n' ? 0 : columnsOf(character);
    if (used + width > columns) {
      lines.push([]);
      used = 0;
    }
    const line = lines.at(-1) as string[];
    if (index === cursor) at = { row: lines.length - 1, column: line.length };
    if (character === '\n') {
      lines.push([]);
      used = 0;
    } else {
      line.push(character);
      used += width;
    }
  });
  if (cursor >= characters.length) at = { row: lines.length - 1, column: lines.at(-1)?.length ?? 0 };
  return { lines, ...at };
}
