import { Text } from 'ink';
import { colorOf } from '../identicon.ts';
import type { UiSession } from '../session.ts';
import type { Cell, Row } from '../store/rows.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';
import { Bar } from './Bar.tsx';
import { Line } from './Line.tsx';

const GAP = '  ';
const CELL_COLUMNS_MIN = 4;

interface TableRowProps {
  readonly session: UiSession;
  readonly row: Row;
  readonly cells: readonly Cell[];
  readonly columns: number;
  readonly isSelected: boolean;
  /** The part of the row the cursor is at. */
  readonly pointed: number | undefined;
}

/** A row of a table, or its head: every cell in its column, cut where it is too long. */
export function TableRow({ session, row, cells, columns, isSelected, pointed }: TableRowProps) {
  const widths = widthsOf(cells, columns - 3);
  const isHead = row.parts.length === 0;
  let before = 0;
  return (
    <Line>
      <Bar shown={isSelected} />
      {cells.map(({ parts }, index) => {
        const first = before;
        before += parts.length;
        const node = parts.find((part) => typeof part !== 'string');
        const isPointed = node !== undefined && pointed !== undefined && pointed >= first && pointed < before;
        const text = parts.map((part) => (typeof part === 'string' ? part : session.nameOf(part.nodeId))).join('');
        const color = isHead ? THEME.dim : node === undefined ? undefined : colorOf(node.nodeId);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
          <Text key={index}>
            {index === 0 ? '' : GAP}
            <Text bold={node !== undefined} inverse={isPointed} {...(color === undefined ? {} : { color })}>
              {pad(text, widths[index] ?? CELL_COLUMNS_MIN)}
            </Text>
          </Text>
        );
      })}
    </Line>
  );
}

/** Columns without a width share what the others leave. */
function widthsOf(cells: readonly Cell[], columns: number): readonly number[] {
  const taken = cells.reduce((sum, { width = 0 }) => sum + width, GAP.length * (cells.length - 1));
  const sharing = cells.filter(({ width }) => width === undefined).length;
  const share = Math.max(CELL_COLUMNS_MIN, Math.floor((columns - taken) / Math.max(1, sharing)));
  return cells.map(({ width }) => width ?? share);
}
