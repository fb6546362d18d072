/**
 * Templates: how a contribution says what of an answer or event is shown, as data. `{path}` stands for
 * the value there (`connections.session`; through lists as well), `{path|format}` or
 * `{path|format:argument}` for how it is shown:
 *
 * | format | shows |
 * |---|---|
 * | none | a text or number as it is, a list of them with commas, `–` for nothing |
 * | `node` | a node id by the node's name; enter opens the node |
 * | `id` | the first eight characters |
 * | `count` | a number with separators, or how long a list is; `count:peer` adds the noun, in the plural where it must |
 * | `fixed` | two decimals |
 * | `bytes`, `duration`, `time` | of a number of bytes, of milliseconds, of milliseconds since 1970 |
 * | `list` | each entry's fields that the argument names (`list:what node_id`), at most four entries; ids of nodes by name |
 */
export const UI_FORMATS = ['node', 'id', 'count', 'fixed', 'bytes', 'duration', 'time', 'list'] as const;
export type UiFormat = (typeof UI_FORMATS)[number];

/** What a template shows of a value. */
export interface TemplateField {
  readonly path: string;
  readonly format: UiFormat | undefined;
  readonly argument: string;
}

/** A value's place in an object: names joined by dots. Never a prototype's: only own fields are read. */
export const PATH_PATTERN = '^[A-Za-z0-9_-]{1,40}(\\.[A-Za-z0-9_-]{1,40}){0,5}$';
const PATH = new RegExp(PATH_PATTERN);

/** The texts and fields of a template in their order. What is no field, such as an unknown format, is text. */
export function parseTemplate(template: string): readonly (string | TemplateField)[] {
  return template
    .split(/(\{[^{}]*\})/)
    .filter((piece) => piece !== '')
    .map((piece) => readField(piece) ?? piece);
}

/** What is wrong with a template, for its author: a brace that belongs to no field. */
export function templateProblem(template: string): string | undefined {
  const wrong = parseTemplate(template).find((piece) => typeof piece === 'string' && /[{}]/.test(piece));
  if (wrong === undefined) return undefined;
  return `${JSON.stringify(wrong)} is no field: {path}, {path|format} or {path|format:argument} with ${UI_FORMATS.join(', ')}`;
}

function readField(piece: string): TemplateField | undefined {
  const [, path = '', name, argument = ''] = /^\{([^|{}]+)(?:\|([a-z]+)(?::([^{}]*))?)?\}$/.exec(piece) ?? [];
  const format = UI_FORMATS.find((known) => known === name);
  if (!PATH.test(path) || (name !== undefined && format === undefined)) return undefined;
  return { path, format, argument };
}
