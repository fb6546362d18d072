import { Type } from 'typebox';
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

/**
 * The settings of one plugin from what the config file says of it. A plugin without schema takes none.
 *
 * A key may have belonged to another plugin once. Its schema says so with `formerly: 'mesh.redialMs'`, and
 * what the file still says under that name, which `others` reads, counts until the new name is set. The other
 * plugin's schema lists the keys that are no longer its own in `moved`, so that the file is not refused.
 */
export function resolvePluginConfig(
  schema: TObject | undefined,
  raw: unknown,
  plugin: string,
  others: (plugin: string) => unknown = () => undefined,
): Record<string, unknown> {
  const own = schema ?? NO_KEYS;
  const settings = isRecord(raw) ? { ...raw } : (raw ?? {});
  if (isRecord(settings)) {
    for (const key of movedKeys(own)) delete settings[key];
    for (const [key, value] of formerSettings(own, others)) settings[key] ??= value;
  }
  return resolveSection(own, settings, `the config of plugin ${plugin}`) as Record<string, unknown>;
}

/** @throws config/moved-key when a change sets a key that belongs to another plugin now */
export function refuseMovedKeys(
  schema: TObject | undefined,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  plugin: string,
): void {
  const key = movedKeys(schema ?? NO_KEYS).find((name) => after[name] !== before[name]);
  if (key !== undefined) throw configErrors.make('moved-key', { key: `${plugin}.${key}` });
}

function movedKeys(schema: TObject): readonly string[] {
  return (schema as { moved?: readonly string[] }).moved ?? [];
}

function* formerSettings(schema: TObject, others: (plugin: string) => unknown): Iterable<[string, unknown]> {
  for (const [key, property] of Object.entries(schema.properties)) {
    const { formerly } = property as { formerly?: string };
    if (formerly === undefined) continue;
    const [plugin = '', former = ''] = formerly.split('.');
    const settings = others(plugin);
    if (isRecord(settings) && Object.hasOwn(settings, former)) yield [key, settings[former]];
  }
}

const NO_KEYS: TObject = Type.Object({});

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
