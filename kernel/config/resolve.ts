import type { Static, TObject, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { deepFreeze } from '../sdk/freeze.ts';
import { configErrors } from './errors.ts';
import { nearest } from './nearest.ts';

/**
 * Settings as code may rely on them: unknown keys refused by name at every depth, defaults filled in,
 * values checked, all of it frozen. `raw` is not changed; `undefined` means all defaults.
 *
 * @throws config/unknown-key, config/bad-value
 */
export function resolveSection<Schema extends TObject, Settings = Static<Schema>>(
  schema: Schema,
  raw: unknown,
  where: string,
): Settings {
  if (raw !== undefined && !isRecord(raw)) {
    throw configErrors.make('bad-value', { key: 'the value', where, expected: 'must be an object' });
  }
  refuseUnknown(schema, raw, '', where);
  const filled = Value.Default(schema, structuredClone(raw ?? {}));
  const fault = Value.Errors(schema, filled)[0];
  if (fault !== undefined) {
    const key = fault.instancePath.slice(1).replaceAll('/', '.') || 'the value';
    throw configErrors.make('bad-value', {
      key,
      where,
      expected: expectation(schema, fault.instancePath, fault.message),
    });
  }
  return deepFreeze(filled) as Settings;
}

/** The settings of one plugin from what the config file says of it. A plugin without schema takes none. */
export function resolvePluginConfig(
  schema: TObject | undefined,
  raw: unknown,
  plugin: string,
): Record<string, unknown> {
  return resolveSection(schema ?? NO_KEYS, raw, `the config of plugin ${plugin}`) as Record<string, unknown>;
}

const NO_KEYS = { type: 'object', properties: {}, required: [] } as unknown as TObject;

function refuseUnknown(schema: TSchema, value: unknown, prefix: string, where: string): void {
  const properties = (schema as Partial<TObject>).properties;
  if (properties === undefined || !isRecord(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const key = prefix + name;
    if (!Object.hasOwn(properties, name)) throw unknownKey(key, name, Object.keys(properties), where);
    refuseUnknown(properties[name] as TSchema, child, `${key}.`, where);
  }
}

/** The error for a key nobody knows, with the key it was probably meant to be. */
export function unknownKey(key: string, name: string, known: readonly string[], where: string) {
  const near = nearest(name, known);
  const list = known.length === 0 ? 'It has no settings.' : `Known: ${[...known].sort().join(', ')}.`;
  return configErrors.make('unknown-key', { key, where, hint: near === undefined ? list : `Did you mean ${near}?` });
}

/** A union of literals fails with a line for each; its values say more. */
function expectation(schema: TObject, path: string, message: string): string {
  const property = schema.properties[path.split('/')[1] ?? ''] as { anyOf?: { const?: unknown }[] } | undefined;
  const values = property?.anyOf?.map((option) => option.const);
  return values?.every((value) => value !== undefined) ? `must be one of ${values.join(', ')}` : message;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
