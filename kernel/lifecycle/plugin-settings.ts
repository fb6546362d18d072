import type { ConfigFile } from '../config/config.ts';
import { type ConfigFault, pluginFaults, refuseMovedKeys } from '../config/index.ts';
import { runAs } from './attribution.ts';
import { lifecycleErrors } from './errors.ts';
import type { ConfigChange, PluginSettings } from './plugin-host.ts';
import type { PluginRecord } from './plugin-record.ts';

type Settings = Record<string, unknown>;

/** A change of settings that may be written. */
export interface CheckedChange {
  readonly config: Settings;
  /** Whether what was there before resolved. */
  readonly wasGood: boolean;
  /** What is still wrong afterwards, in a key that the change leaves alone. */
  readonly fault: ConfigFault | undefined;
}

/**
 * Checks a change of a plugin's settings. Where they resolved, they must still; where they did not, only the
 * keys that change are held against the schema, so that they can be mended one after the other.
 *
 * @throws config/*, lifecycle/not-loaded
 */
export function checkChange(file: ConfigFile, record: PluginRecord, change: ConfigChange): CheckedChange {
  const { name, loaded } = record;
  if (!loaded) throw lifecycleErrors.make('not-loaded', { name, reason: record.reason ?? 'it failed' });
  const before = (file.plugin(name).config ?? {}) as Settings;
  const config = { ...(typeof change === 'function' ? change(before) : change) };
  refuseMovedKeys(loaded.plugin.config, before, config, name);
  const wasGood = faults(file, record, before).length === 0;
  const [fault] = faults(file, record, config);
  const changed = Object.keys(config).filter((key) => config[key] !== before[key]);
  const alone = Object.fromEntries(changed.map((key) => [key, config[key]]));
  const own = faults(file, record, alone).find(({ key }) => changed.includes(key.split('.')[0] as string));
  const refused = own ?? (wasGood ? fault : undefined);
  if (refused !== undefined) throw refused.error;
  return { config, wasGood, fault };
}

export function readSettings(file: ConfigFile, record: PluginRecord): PluginSettings {
  const written = (file.plugin(record.name).config ?? {}) as Settings;
  const values = record.generation?.config ?? (record.state === 'failed' ? written : {});
  const problems = record.loaded ? faults(file, record, written) : [];
  return { values, problems: problems.map(({ key, error }) => ({ key, problem: error.message })) };
}

function faults(file: ConfigFile, { name, plugin, loaded }: PluginRecord, settings: Settings): ConfigFault[] {
  const check = (): ConfigFault[] => pluginFaults(plugin?.config, settings, name, (other) => file.plugin(other).config);
  return loaded?.foreign === true ? runAs(name, check) : check();
}
