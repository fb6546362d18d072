import { type TSchema, Value } from '../sdk/typebox.ts';
import { commandErrors } from './errors.ts';

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Record<string, unknown>>>;
}

/**
 * Params of a command as its handler may rely on them: defaults filled in, unknown names refused,
 * the rest checked. The caller's object is not changed.
 *
 * @throws command/bad-params naming the first param that is wrong.
 */
export function readParams(command: string, schema: TSchema, params: unknown): unknown {
  const fail = (detail: string) =>
    commandErrors.make('bad-params', { command, detail, usage: command.replaceAll('.', ' ') });
  const given = params ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) throw fail('params must be an object');
  const known = (schema as ObjectSchema).properties ?? {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      throw fail(`there is no parameter ${name}; known: ${Object.keys(known).join(', ') || 'none'}`);
    }
  }
  const filled = Value.Default(schema, structuredClone(given));
  if (Value.Check(schema, filled)) return filled;
  throw fail(explain(schema, filled));
}

function explain(schema: TSchema, value: unknown): string {
  const errors = Value.Errors(schema, value);
  const first = errors[0];
  if (first === undefined) return 'the parameters do not match';
  const name = first.instancePath.split('/')[1];
  if (name === undefined) {
    const missing = (first.params as { requiredProperties?: string[] }).requiredProperties;
    return missing === undefined ? first.message : `${missing.join(', ')} is missing`;
  }
  const options = choices((schema as ObjectSchema).properties?.[name]);
  return options === undefined ? `${name} ${first.message}` : `${name} must be one of ${options.join(', ')}`;
}

/** The literal values a schema allows, where it is a list of them; `undefined` otherwise. */
export function choices(schema: Record<string, unknown> | undefined): string[] | undefined {
  if (schema === undefined) return undefined;
  if (Array.isArray(schema.enum)) return schema.enum.map(String);
  const options = schema.anyOf;
  if (!Array.isArray(options) || options.length === 0) return undefined;
  if (!options.every((option) => typeof option === 'object' && option !== null && 'const' in option)) return undefined;
  return options.map((option: { const: unknown }) => String(option.const));
}
