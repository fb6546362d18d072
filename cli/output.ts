import stringWidth from 'string-width';
import { oneLine } from '../kernel/sdk/kit/safe-text.ts';

type Row = Readonly<Record<string, unknown>>;

const COLUMN_GAP = '  ';
/** A time of day, and enough of a word to know it. */
const COLUMN_MIN = 8;
const ID_WIDTH = 64;
const SHORT_ID_WIDTH = 11;
const LIST_MAX = 3;
/** Ten years: what is longer is a moment, counted from 1970. */
const DURATION_MAX_MS = 10 * 365 * 86_400_000;

/** A result as a person reads it: a record, a table, or both, within `columns`. */
export function formatResult(result: unknown, columns: number): string {
  if (Array.isArray(result)) return formatList(result, columns);
  if (!isRow(result)) return formatValue('', result);
  const lists = Object.entries(result).filter(([, value]) => Array.isArray(value) && value.some(isRow));
  const rest = Object.entries(result).filter(([key, value]) => !lists.some(([list]) => list === key) && value !== null);
  const empty = Object.entries(result).length === 1 && Array.isArray(Object.values(result)[0]);
  if (empty && lists.length === 0 && (Object.values(result)[0] as unknown[]).length === 0) return '(none)';
  const parts = lists.map(([key, rows]) =>
    lists.length > 1 || rest.length > 1
      ? `${title(key)}\n${formatList(rows as unknown[], columns)}`
      : formatList(rows as unknown[], columns),
  );
  if (rest.length > 0) parts.unshift(formatRecord(rest, ''));
  return parts.join('\n\n');
}

/** One event of a stream on one line. */
export function formatEvent(event: unknown): string {
  if (!isRow(event)) return formatValue('', event);
  const { atMs, at_ms: at = atMs, level, area, topic, event: what, fields = {}, ...rest } = event;
  const time = typeof at === 'number' ? new Date(at).toISOString().slice(11, 23) : '';
  const name = [level, area, topic, typeof what === 'string' ? what : undefined].filter((part) => part !== undefined);
  const facts = { ...(isRow(what) ? what : {}), ...(isRow(fields) ? fields : {}), ...rest };
  const details = Object.entries(facts).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return oneLine([time, ...name, ...details].filter((part) => part !== '').join(' '));
}

function formatRecord(entries: [string, unknown][], indent: string): string {
  const width = Math.max(...entries.map(([key]) => title(key).length));
  return entries
    .map(([key, value]) => {
      const label = `${indent}${title(key).padEnd(width)}`;
      if (isRow(value) && Object.keys(value).length > 0) {
        return `${label}\n${formatRecord(Object.entries(value), `${indent}  `)}`;
      }
      if (Array.isArray(value) && value.length > 1) {
        return `${label}  ${value.map((item) => formatValue(key, item)).join(`\n${' '.repeat(label.length + 2)}`)}`;
      }
      return `${label}  ${formatValue(key, value)}`.trimEnd();
    })
    .join('\n');
}

function formatList(items: readonly unknown[], columns: number): string {
  if (items.length === 0) return '(none)';
  if (!items.every(isRow)) return items.map((item) => formatValue('', item)).join('\n');
  const keys = [...new Set(items.flatMap((row) => Object.keys(row)))].filter((key) =>
    items.some((row) => row[key] !== null && row[key] !== undefined && row[key] !== ''),
  );
  const table = [keys.map(title), ...items.map((row) => keys.map((key) => formatCell(key, row[key])))];
  const widths = shrink(
    keys.map((_key, index) => widthsOf(table, index)),
    columns,
  );
  const lines = table.map((row) =>
    widths
      .map((width, index) => pad(row[index] ?? '', width))
      .join(COLUMN_GAP)
      .trimEnd(),
  );
  const left = keys.slice(widths.length).map(title);
  return [...lines, ...(left.length === 0 ? [] : [`(no room for: ${left.join(', ')}; --json shows all)`])].join('\n');
}

interface Widths {
  readonly heading: number;
  readonly content: number;
}

function widthsOf([headings = [], ...rows]: string[][], index: number): Widths {
  const widthOf = (row: string[]) => stringWidth(row[index] ?? '');
  return { heading: widthOf(headings), content: Math.max(...rows.map(widthOf)) };
}

/** Long lists are counted: a table has no room for them. */
function formatCell(key: string, value: unknown): string {
  return Array.isArray(value) && value.length > LIST_MAX ? String(value.length) : formatValue(key, value);
}

/**
 * The widths of as many columns as fit: headings give way first, then ids, whose beginning tells them apart and
 * can be given back, then the widest; what has no room after that is left out from the right.
 */
function shrink(wanted: readonly Widths[], columns: number): number[] {
  const total = (widths: readonly number[]) =>
    widths.reduce((sum, width) => sum + width, 0) + COLUMN_GAP.length * (widths.length - 1);
  const natural = wanted.map(({ heading, content }) => Math.max(heading, content));
  if (total(natural) <= columns) return natural;
  const least = wanted.map(({ heading, content }) =>
    content === ID_WIDTH ? SHORT_ID_WIDTH : Math.min(Math.max(heading, content), COLUMN_MIN),
  );
  while (least.length > 1 && total(least) > columns) least.pop();
  const widths = least.map((min, index) => {
    const { heading = 0, content = 0 } = wanted[index] ?? {};
    return content === ID_WIDTH ? SHORT_ID_WIDTH : Math.max(content, Math.min(heading, COLUMN_MIN), min);
  });
  while (total(widths) > columns) {
    const spare = widths.map((width, index) => (width > (least[index] ?? 0) ? width : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function pad(cell: string, width: number): string {
  let text = cell;
  if (stringWidth(text) > width) {
    while (stringWidth(text) > width - 1) text = text.slice(0, -1);
    text += '…';
  }
  return text + ' '.repeat(width - stringWidth(text));
}

function formatValue(key: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return formatNumber(key, value);
  if (typeof value === 'string') return oneLine(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return value.map((item) => formatValue('', item)).join(', ');
  }
  return oneLine(JSON.stringify(value));
}

function formatNumber(key: string, value: number): string {
  if (/_ms$|Ms$/.test(key)) return value > DURATION_MAX_MS ? localTime(value) : duration(value);
  if (/(^|_)bytes$|Bytes$/.test(key)) return size(value);
  return String(value);
}

function localTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  const two = (number: number) => String(number).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (date.toDateString() === new Date().toDateString()) return time;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${time}`;
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** `node_id` and `totalMs` as a heading: `node id`, `total`. */
function title(key: string): string {
  return key
    .replace(/_ms$|Ms$|_bytes$|Bytes$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
