import type { AnyMessage } from '../sdk/message.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import type { Point } from '../sdk/point.ts';
import { type Token, tokenKey } from '../sdk/token.ts';
import { commandTable } from './command-table.ts';
import { lifecycleErrors } from './errors.ts';
import type { Generation } from './generation.ts';
import { needsOf, resourcesOf } from './manifest.ts';
import type { PluginRegistry } from './plugin-registry.ts';
import type { SwapDeps } from './swap.ts';

/**
 * Refuses a plugin that claims what another one has, or needs what nobody offers.
 * @throws lifecycle/bad-manifest, wire/duplicate-message, wire/not-in-catalogue
 */
export function checkAgainstOthers(deps: SwapDeps, registry: PluginRegistry, plugin: AnyPlugin): void {
  const { name } = plugin;
  const refuse = (problem: string): never => {
    throw lifecycleErrors.make('bad-manifest', { name, problem });
  };
  const taken = reserved(registry, name);
  for (const claim of claimsOf(plugin)) {
    const owner = taken.get(claim);
    if (owner !== undefined) refuse(`the ${claim} belongs to ${owner}, which comes with the node`);
  }
  deps.router.check(name, Object.values<AnyMessage>(plugin.messages ?? {}));
  for (const token of plugin.provides ?? []) {
    const key = tokenKey(token);
    const other = deps.services.providerOf(key);
    if (other !== undefined && other !== name) refuse(`the service "${key}" is already provided by ${other}`);
  }
  const commands = commandTable(registry.all());
  for (const command of Object.keys(plugin.commands ?? {})) {
    const other = deps.isKernelCommand?.(command) ? 'the kernel' : commands.get(command)?.plugin;
    if (other !== undefined && other !== name) refuse(`the command "${command}" already belongs to ${other}`);
  }
  const missing = needsOf(plugin).find(({ token, optional }) => !optional && !deps.services.available(tokenKey(token)));
  if (missing) refuse(`needs the service "${tokenKey(missing.token)}", which no active plugin provides`);
  const lacking = resourcesOf(plugin).find((resource) => !deps.resources.has(resource));
  if (lacking) {
    const major = deps.resources.majorOf(lacking.name);
    const instead = major === undefined ? 'does not have' : `has in version ${major}`;
    refuse(`needs the resource "${tokenKey(lacking)}", which this kernel ${instead}`);
  }
}

/** What one plugin alone can have, as texts: commands, messages, services and points. */
export function claimsOf(plugin: AnyPlugin): string[] {
  return [
    ...Object.keys(plugin.commands ?? {}).map((command) => `command "${command}"`),
    ...Object.values<AnyMessage>(plugin.messages ?? {}).map((message) => `message "${message.name}"`),
    ...(plugin.provides ?? []).map((token: Token<unknown>) => `service "${tokenKey(token)}"`),
    ...(plugin.points ?? []).map((point: Point<unknown>) => `point "${point.name}"`),
  ];
}

/** What plugins of the node that are off would claim: it stays theirs. */
function reserved(registry: PluginRegistry, besides: string): Map<string, string> {
  const off = registry.all().filter(({ name, origin, generation }) => {
    return origin === 'builtin' && name !== besides && generation === undefined;
  });
  const claims = off.flatMap(({ name, plugin }) => (plugin ? claimsOf(plugin) : []).map((claim) => [claim, name]));
  return new Map(claims as [string, string][]);
}

/**
 * Refuses points and contributions that cannot be installed beside those of others.
 * @throws lifecycle/bad-manifest
 */
export function checkContributions(deps: SwapDeps, { plugin, parts }: Generation): void {
  const problem = deps.points.problem(plugin.name, plugin.points ?? [], parts.contributes ?? []);
  if (problem !== undefined) throw lifecycleErrors.make('bad-manifest', { name: plugin.name, problem });
}
