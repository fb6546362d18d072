import { lifecycleErrors } from './errors.ts';
import type { AnyCommand } from '../sdk/command.ts';
import type { AnyMessage } from '../sdk/message.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import type { Injection, Resource, Token } from '../sdk/token.ts';

/** The kernel's API version that a plugin's `kernel` range is held against. Code, state and wire have their own. */
export const KERNEL_API_VERSION = '1.0.0';

const PLUGIN_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const SEMVER = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const COMMAND_NAME = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$/;
const MIGRATION_ID = /^\d{4}-[a-z0-9-]+$/;

/**
 * Checks what can be checked of a plugin without running its code.
 * @throws lifecycle/bad-manifest with the first problem found
 */
export function checkManifest(candidate: unknown, path: string): AnyPlugin {
  const refuse = (problem: string, name = path): never => {
    throw lifecycleErrors.make('bad-manifest', { name, problem });
  };
  if (typeof candidate !== 'object' || candidate === null) {
    return refuse('the default export is not a definePlugin({...}) object');
  }
  const plugin = candidate as AnyPlugin;
  const { name } = plugin;
  if (typeof name !== 'string' || !PLUGIN_NAME.test(name)) return refuse('"name" must be kebab-case');
  if (typeof plugin.setup !== 'function') return refuse('"setup" is not a function', name);
  if (typeof plugin.version !== 'string' || !SEMVER.test(plugin.version))
    return refuse('"version" must be like 1.2.3', name);
  if (typeof plugin.about !== 'string' || plugin.about === '') return refuse('"about" is missing', name);
  if (!acceptsKernel(plugin.kernel)) {
    return refuse(`"kernel" is ${JSON.stringify(plugin.kernel)}, this kernel is ${KERNEL_API_VERSION}`, name);
  }
  for (const [key, message] of Object.entries<AnyMessage>(plugin.messages ?? {})) {
    if (message?.kind !== 'message')
      return refuse(`message "${key}" was not made by defineNotice or defineRequest`, name);
  }
  for (const [key, command] of Object.entries<AnyCommand>(plugin.commands ?? {})) {
    if (!COMMAND_NAME.test(key)) return refuse(`command "${key}" must be like noun.verb or verb`, name);
    if (typeof command?.about !== 'string' || !command.params || !command.result) {
      return refuse(`command "${key}" needs about, params and result`, name);
    }
  }
  for (const [key, injection] of Object.entries<Injection>(plugin.inject ?? {})) {
    const wanted =
      typeof injection === 'object' && injection !== null && 'optional' in injection ? injection.optional : injection;
    if (wanted?.kind === 'token') continue;
    if (wanted?.kind !== 'resource')
      return refuse(`inject "${key}" was not made by defineToken or defineResource`, name);
    if (wanted !== injection) return refuse(`inject "${key}": a resource of the kernel cannot be optional`, name);
  }
  for (const point of plugin.points ?? []) {
    if (point?.kind !== 'point') return refuse('an entry of "points" was not made by definePoint', name);
  }
  const ids = (plugin.migrations ?? []).map((migration) => migration.id);
  for (const [index, id] of ids.entries()) {
    if (!MIGRATION_ID.test(id)) return refuse(`migration id "${id}" must be like 0001-name`, name);
    if (index > 0 && id <= (ids[index - 1] as string)) return refuse(`migration "${id}" is out of order`, name);
  }
  return plugin;
}

/** Ranges we understand: `^1`, `^1.2`, `1`, `*`. */
function acceptsKernel(range: unknown): boolean {
  if (range === '*') return true;
  const match = typeof range === 'string' ? /^\^?(\d+)(?:\.(\d+))?(?:\.\d+)?$/.exec(range) : null;
  if (!match) return false;
  const [major, minor] = KERNEL_API_VERSION.split('.').map(Number) as [number, number];
  return Number(match[1]) === major && Number(match[2] ?? 0) <= minor;
}

/** The services of other plugins that a plugin needs, with whether it can do without. */
export function needsOf(plugin: AnyPlugin): { token: Token<unknown>; optional: boolean }[] {
  return injections(plugin).flatMap((injection): { token: Token<unknown>; optional: boolean }[] => {
    if ('optional' in injection) return [{ token: injection.optional, optional: true }];
    return injection.kind === 'token' ? [{ token: injection, optional: false }] : [];
  });
}

/** The kernel's resources that a plugin needs. */
export function resourcesOf(plugin: AnyPlugin): Resource<unknown>[] {
  return injections(plugin).flatMap((injection) =>
    'optional' in injection || injection.kind !== 'resource' ? [] : [injection],
  );
}

function injections(plugin: AnyPlugin): Injection[] {
  return Object.values(plugin.inject ?? {});
}
