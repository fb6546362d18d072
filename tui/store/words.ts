import type { UiLine } from '../../kernel/sdk/ui/schemas.ts';
import { parseTemplate, type TemplateField } from '../../kernel/sdk/ui/template.ts';
import { bytes, count, duration, timeOfDay } from '../format.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import { numberOr } from './post.ts';
import type { Part, Tone } from './rows.ts';

/** Characters shown of one value. */
const VALUE_CHARS = 120;
/** Entries of a list that are told; the rest is counted. */
const LISTED_MAX = 8;
/** Entries of a list that a path goes through. */
const THROUGH_MAX = 500;
const NOTHING = '–';
const NODE_ID = /^[0-9a-f]{64}$/;

/** What stands at a path in data from a plugin; through lists, all that stands there. Own fields only. */
export function valueAt(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    found = Array.isArray(found)
      ? found.slice(0, THROUGH_MAX).flatMap((entry) => fieldOf(entry, name) ?? [])
      : fieldOf(found, name);
  }
  return found;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** The line that tells of this value; `undefined` when none is for it. */
export function tell(lines: readonly UiLine[], value: unknown): { tone: Tone; parts: readonly Part[] } | undefined {
  const line = lines.find(({ when = {} }) =>
    Object.entries(when).every(([path, wanted]) => holds(value, path, wanted)),
  );
  return line === undefined ? undefined : { tone: line.tone ?? 'plain', parts: partsOf(line.text, value) };
}

function holds(value: unknown, path: string, wanted: string | number | boolean | null): boolean {
  const found = valueAt(value, path);
  if (wanted === null) return found === undefined || found === null || (Array.isArray(found) && found.length === 0);
  return Array.isArray(found) ? found.slice(0, THROUGH_MAX).includes(wanted) : found === wanted;
}

/** A template filled with a value, safe to paint. */
export function partsOf(template: string, value: unknown): readonly Part[] {
  return parseTemplate(template).flatMap((piece) =>
    typeof piece === 'string' ? [safeText(piece)] : fill(piece, value),
  );
}

/** The same as one text, with short ids for nodes. */
export function textOf(template: string, value: unknown): string {
  return partsOf(template, value)
    .map((part) => (typeof part === 'string' ? part : part.nodeId.slice(0, 8)))
    .join('');
}

/** A template of one field and nothing else returns the value itself, so that numbers stay numbers. */
export function paramOf(template: string, value: unknown): unknown {
  const [piece, ...more] = parseTemplate(template);
  const isField = typeof piece === 'object' && piece.format === undefined && more.length === 0;
  return isField ? valueAt(value, piece.path) : textOf(template, value);
}

/** Spaces at the ends of a piece part it from its neighbours. */
function safeText(piece: string): string {
  const inner = safeLine(piece, 300);
  return `${/^\s/.test(piece) ? ' ' : ''}${inner}${inner !== '' && /\s$/.test(piece) ? ' ' : ''}`;
}

function fill({ path, format, argument }: TemplateField, value: unknown): readonly Part[] {
  const found = valueAt(value, path);
  switch (format) {
    case undefined:
      return [plain(found)];
    case 'node':
      return [nodeOr(plain(found))];
    case 'id':
      return [plain(found).slice(0, 8)];
    case 'count':
      return [counted(Array.isArray(found) ? found.length : numberOr(found, 0), argument)];
    case 'fixed':
      return [numberOr(found, 0).toFixed(2)];
    case 'bytes':
      return [ofNumber(found, bytes)];
    case 'duration':
      return [ofNumber(found, duration)];
    case 'time':
      return [ofNumber(found, timeOfDay)];
    case 'list':
      return listed(found, argument.split(' ').filter(Boolean));
  }
}

function plain(found: unknown): string {
  if (Array.isArray(found)) return found.slice(0, LISTED_MAX).map(plain).join(', ') || NOTHING;
  if (typeof found === 'object' || found === undefined) return NOTHING;
  return safeLine(String(found), VALUE_CHARS) || NOTHING;
}

function nodeOr(text: string): Part {
  return NODE_ID.test(text) ? { nodeId: text } : text;
}

function counted(size: number, noun: string): string {
  return noun === '' ? count(size) : `${count(size)} ${safeLine(noun, 20)}${size === 1 ? '' : 's'}`;
}

function ofNumber(found: unknown, show: (value: number) => string): string {
  return typeof found === 'number' ? show(found) : NOTHING;
}

/** `anchor Alice connected, anchor 3fa2b1c0 no answer, and 3 more`. */
function listed(found: unknown, fields: readonly string[]): readonly Part[] {
  const entries = Array.isArray(found) ? found : [];
  const parts = entries.slice(0, LISTED_MAX).flatMap((entry, index): Part[] => {
    const text = fields.length === 0 ? plain(entry) : fields.map((name) => fieldText(entry, name)).join(' ');
    const words = text.split(' ').flatMap((word, place): Part[] => [...(place === 0 ? [] : [' ']), nodeOr(word)]);
    return [...(index === 0 ? [] : [', ']), ...words];
  });
  const more = entries.length - LISTED_MAX;
  return parts.length === 0 ? [NOTHING] : more > 0 ? [...parts, `, and ${more} more`] : parts;
}

function fieldText(entry: unknown, name: string): string {
  return plain(valueAt(entry, name));
}
