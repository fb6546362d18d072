import type { AnyPlugin } from '../sdk/plugin.ts';
import { tokenKey } from '../sdk/token.ts';
import { needsOf } from './manifest.ts';

export interface StartOrder {
  /** Providers before those who need them; names break ties, so the order is the same on every start. */
  readonly order: readonly AnyPlugin[];
  /** Plugins that cannot start, with the reason. */
  readonly refused: readonly { readonly plugin: AnyPlugin; readonly reason: string }[];
}

/**
 * Orders plugins by what they need. Those that come with the node go before others, so that nobody takes
 * a name, a point or a service from them by starting first. A missing or circular need refuses the plugins concerned, and
 * those that need them, and nobody else.
 */
export function orderPlugins(
  plugins: readonly AnyPlugin[],
  isBuiltin: (plugin: AnyPlugin) => boolean = () => false,
): StartOrder {
  const before = (a: AnyPlugin, b: AnyPlugin): number =>
    Number(isBuiltin(b)) - Number(isBuiltin(a)) || (a.name < b.name ? -1 : 1);
  const waiting = new Map([...plugins].sort(before).map((plugin) => [plugin.name, plugin]));
  const offeredBy = new Map<string, string>();
  const refused: { plugin: AnyPlugin; reason: string }[] = [];
  for (const plugin of [...waiting.values()]) {
    for (const token of plugin.provides ?? []) {
      const key = tokenKey(token);
      const other = offeredBy.get(key);
      if (other === undefined) offeredBy.set(key, plugin.name);
      else if (waiting.delete(plugin.name)) {
        refused.push({ plugin, reason: `the service "${key}" is already provided by ${other}` });
      }
    }
  }
  const order: AnyPlugin[] = [];
  const ready = new Set<string>();
  for (;;) {
    const next = [...waiting.values()].find((plugin) => blockersOf(plugin, offeredBy, waiting, ready).length === 0);
    if (!next) break;
    waiting.delete(next.name);
    for (const token of next.provides ?? []) ready.add(tokenKey(token));
    order.push(next);
  }
  const reasonFor = (plugin: AnyPlugin): string => {
    const blockers = blockersOf(plugin, offeredBy, waiting, ready);
    const providerOf = (token: string): AnyPlugin | undefined => waiting.get(offeredBy.get(token) ?? '');
    const missing = blockers.find((token) => providerOf(token) === undefined);
    if (missing !== undefined) return `needs the service "${missing}", which no active plugin provides`;
    const outside = blockers.find((token) => !needsBack(providerOf(token)?.name as string, plugin, waiting));
    const provider = outside === undefined ? undefined : providerOf(outside);
    // Its provider cannot start either: what has to be switched on or mended is what that one lacks.
    if (provider !== undefined) return `needs ${provider.name}, which ${reasonFor(provider)}`;
    return `is part of a circle of needs: ${blockers.map((token) => `${token} (${offeredBy.get(token)})`).join(', ')}`;
  };
  for (const plugin of waiting.values()) refused.push({ plugin, reason: reasonFor(plugin) });
  return { order, refused };
}

/** Tokens that must be ready before the plugin can start; an optional one counts only while its provider may still come. */
function blockersOf(
  plugin: AnyPlugin,
  offeredBy: ReadonlyMap<string, string>,
  waiting: ReadonlyMap<string, AnyPlugin>,
  ready: ReadonlySet<string>,
): string[] {
  return needsOf(plugin)
    .filter(({ token, optional }) => {
      if (ready.has(tokenKey(token))) return false;
      const provider = offeredBy.get(tokenKey(token));
      // Optional needs only shape the order, and never make a circle: the other side may come later.
      return optional ? provider !== undefined && waiting.has(provider) && !needsBack(provider, plugin, waiting) : true;
    })
    .map(({ token }) => tokenKey(token));
}

/** True when `provider` (directly or through others that still wait) needs something `plugin` provides. */
function needsBack(
  provider: string,
  plugin: AnyPlugin,
  waiting: ReadonlyMap<string, AnyPlugin>,
  seen = new Set<string>(),
): boolean {
  if (provider === plugin.name) return true;
  const other = waiting.get(provider);
  if (!other || seen.has(provider)) return false;
  seen.add(provider);
  return needsOf(other).some(({ token }) =>
    [...waiting.values()].some(
      (candidate) =>
        candidate.provides?.some((offered) => tokenKey(offered) === tokenKey(token)) &&
        needsBack(candidate.name, plugin, waiting, seen),
    ),
  );
}
