import type { TSchema } from '../sdk/typebox.ts';
import type { AnyMessage } from '../sdk/message.ts';
import { validatorOf } from '../sdk/validator.ts';
import { messageFrame } from './frames.ts';
import type { Sample } from './mutations.ts';

/** What a JSON schema may say, as far as bodies of messages go. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly TSchema[];
  readonly allOf?: readonly TSchema[];
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly items?: TSchema | readonly TSchema[];
  readonly minItems?: number;
  readonly minLength?: number;
}

/** Spellings of what strings of messages usually are: ids, signatures, addresses, base64, names, texts. */
const STRINGS: readonly string[] = [
  'text',
  'ab'.repeat(32),
  'ab'.repeat(64),
  'ab'.repeat(16),
  'ab'.repeat(8),
  '20.0.1.7:4433',
  `${'ab'.repeat(32)}@20.0.1.7:4433`,
  'AAAA',
  `${'A'.repeat(43)}=`,
  'a/b@1',
  'a.b',
  '7',
  '2026-01-01T00:00:00.000Z',
];
const NUMBERS: readonly number[] = [1, 0, 7, 1_767_225_600_000, -1, 0.5];

/**
 * A request of a message that fits its schema: the given body, or one made up. Undefined when a string
 * must look like nothing we could think of.
 */
export function sampleOf(message: AnyMessage, body: unknown = madeUpFor(message.body)): Sample | undefined {
  if (!validatorOf(message.body).check(body)) return undefined;
  const frame = Buffer.from(messageFrame(message, body));
  return { message, code: frame[0] as number, payload: JSON.parse(frame.toString('utf8', 5)), frame };
}

/** The smallest value we can think of that fits a schema; undefined when there is none. */
export function madeUpFor(schema: TSchema): unknown {
  const { type, ...given } = schema as Schema;
  if ('const' in given) return given.const;
  if (given.enum !== undefined) return given.enum[0];
  if (given.anyOf !== undefined) return firstFitting(schema, given.anyOf.map(madeUpFor));
  if (given.allOf !== undefined) return Object.assign({}, ...given.allOf.map(madeUpFor));
  switch (type) {
    case 'object':
      return Object.fromEntries((given.required ?? []).map((key) => [key, madeUpFor(given.properties?.[key] ?? {})]));
    case 'array':
      return itemsOf(given);
    case 'string':
      return firstFitting(schema, [...STRINGS, 'x'.repeat(given.minLength ?? 0)]);
    case 'integer':
    case 'number':
      return firstFitting(schema, [...NUMBERS, ...bounds(schema)]);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return {};
  }
}

/** The first JSON value of another kind that a schema refuses; undefined when it takes everything. */
export function misfitOf(schema: TSchema): unknown {
  const validator = validatorOf(schema);
  return ['no such value', -1e300, null, [], {}, true].find((value) => !validator.check(value));
}

function itemsOf({ items, minItems = 0 }: Schema): unknown[] {
  if (Array.isArray(items)) return items.map(madeUpFor);
  return Array.from({ length: minItems }, () => madeUpFor(items as TSchema));
}

function bounds(schema: TSchema): number[] {
  const limits = schema as Readonly<Record<string, unknown>>;
  return ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'multipleOf']
    .map((name) => limits[name])
    .filter((limit) => typeof limit === 'number')
    .flatMap((limit) => [limit, limit + 1, limit - 1]);
}

function firstFitting(schema: TSchema, candidates: readonly unknown[]): unknown {
  const validator = validatorOf(schema);
  return candidates.find((candidate) => validator.check(candidate));
}
