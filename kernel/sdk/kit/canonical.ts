/** No record of ours nests deeper than three; what comes from outside must not exhaust the stack. */
const DEPTH_MAX = 16;

/**
 * RFC 8785 (JCS) text of a JSON value: keys sorted by UTF-16 code units, no spaces, numbers and strings
 * as ECMAScript prints them.
 *
 * @throws TypeError for lone surrogates, numbers that are not finite, other types, and too deep nesting.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('lone surrogate');
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('number is not finite');
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      break;
    default:
      throw new TypeError(`no JSON for ${typeof value}`);
  }
  if (value === null) return 'null';
  if (depth === DEPTH_MAX) throw new TypeError('nested too deep');
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  const record = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(record).sort()) {
    const item = record[key];
    // As JSON.stringify does: an absent optional field is no field.
    if (item === undefined) continue;
    text += `${text === '' ? '' : ','}${canonicalJson(key)}:${canonicalJson(item, depth + 1)}`;
  }
  return `{${text}}`;
}
