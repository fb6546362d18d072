import { Type, type Static, type TObject, type TSchema, Value } from '../sdk/typebox.ts';
import { ItsgoinError } from '../sdk/errors.ts';
import { deepFreeze } from '../sdk/kit/freeze.ts';
import { configErrors } from './errors.ts';
import { nearest } from './nearest.ts';

/** A key that does not resolve. `key` is its path within the section: `limits.posts`. */
export interface ConfigFault {
  readonly key: string;
  /** config/unknown-key or config/bad-value */
  readonly error: ItsgoinError;
}

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
  const [first] = faultsOf(schema, raw, where);
  if (first !== undefined) throw first.error;
  return filledIn(schema, raw) as Settings;
}

function filledIn(schema: TObject, raw: unknown): unknown {
  return deepFreeze(Value.Default(schema, structuredClone(raw ?? {})));
}

/** What would make {@link resolveSection} throw: unknown keys first, then values, the first fault of each key. */
export function faultsOf(schema: TObject, raw: unknown, where: string): ConfigFault[] {
  const fault = (key: string, error: ItsgoinError): ConfigFault => ({ key, error });
  const bad = (key: string, expected: string) => fault(key, configErrors.make('bad-value', { key, where, expected }));
  if (raw !== undefined && !isRecord(raw)) return [bad('the value', 'must be an object')];
  const faults = [...unknownKeys(schema, raw, '', where)].map(([key, error]) => fault(key, error));
  for (const { instancePath, message } of Value.Errors(schema, Value.Default(schema, structuredClone(raw ?? {})))) {
    const key = instancePath.slice(1).replaceAll('/', '.') || 'the value';
    if (!faults.some((known) => known.key === key)) faults.push(bad(key, expectation(schema, instancePath, message)));
  }
  return faults;
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
  others?: (plugin: string) => unknown,
): Record<string, unknown> {
  const [first] = pluginFaults(schema, raw, plugin, others);
  if (first !== undefined) throw withAWayOn(first, raw, plugin);
  return filledIn(schema ?? NO_KEYS, ownSettings(schema, raw, others)) as Record<string, unknown>;
}

/** New code may have renamed or narrowed a setting, so the message, which is all that lists show, says what to do. */
function withAWayOn({ key, error }: ConfigFault, raw: unknown, plugin: string): ItsgoinError {
  const [top = ''] = key.split('.');
  if (!isRecord(raw) || !Object.hasOwn(raw, top)) return error;
  const { code, message, hint } = error;
  return new ItsgoinError(code, { message: `${message}. "itsgoin config unset ${plugin}.${top}" takes it out`, hint });
}

/** What would make {@link resolvePluginConfig} throw. */
export function pluginFaults(
  schema: TObject | undefined,
  raw: unknown,
  plugin: string,
  others?: (plugin: string) => unknown,
): ConfigFault[] {
  return faultsOf(schema ?? NO_KEYS, ownSettings(schema, raw, others), `the config of plugin ${plugin}`);
}

function ownSettings(
  schema: TObject = NO_KEYS,
  raw: unknown,
  others: (plugin: string) => unknown = () => undefined,
): unknown {
  const settings = isRecord(raw) ? { ...raw } : (raw ?? {});
  if (isRecord(settings)) {
    for (const key of movedKeys(schema)) delete settings[key];
    for (const [key, value] of formerSettings(schema, others)) settings[key] ??= value;
  }
  return settings;
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

function* unknownKeys(
  schema: TSchema,
  value: unknown,
  prefix: string,
  where: string,
): Iterable<[key: string, error: ItsgoinError]> {
  const properties = (schema as Partial<TObject>).properties;
  if (properties === undefined || !isRecord(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const key = prefix + name;
    if (Object.hasOwn(properties, name)) yield* unknownKeys(properties[name] as TSchema, child, `${key}.`, where);
    else yield [key, unknownKey(key, name, Object.keys(properties), where)];
  }
}

/** The error for a key nobody knows, with the key it was probably meant to be. */
export function unknownKey(key: string, name: string, known: readonly string[], where: string): ItsgoinError {
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
