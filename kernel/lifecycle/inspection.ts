import { textOf } from '../sdk/errors.ts';
import { plainValue } from '../sdk/kit/plain-value.ts';
import type { AnyMessage } from '../sdk/message.ts';
import type { PluginInspection } from './plugin-host.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { Point } from '../sdk/point.ts';
import { type Token, tokenKey } from '../sdk/token.ts';
import { needsOf, resourcesOf } from './manifest.ts';
import type { SwapDeps } from './swap.ts';

/** Everything a live plugin holds, gathered when somebody asks. */
export function inspectPlugin(deps: SwapDeps, record: PluginRecord): PluginInspection {
  const { name, gate, generation, plugin } = record;
  const routes = deps.router.inspect(name);
  return {
    ...record.summary(),
    config: generation?.config ?? {},
    needs: (plugin ? needsOf(plugin) : []).map(({ token, optional }) => ({
      token: tokenKey(token),
      optional,
      available: deps.services.available(tokenKey(token)),
    })),
    resources: (plugin ? resourcesOf(plugin) : []).map((resource) => tokenKey(resource)),
    provides: (plugin?.provides ?? []).map((token: Token<unknown>) => tokenKey(token)),
    points: (plugin?.points ?? []).map(({ name: point }: Point<unknown>) => point),
    contributes: deps.points.contributedBy(name),
    handlers: generation
      ? Object.values<AnyMessage>(generation.plugin.messages ?? {}).map((message) => message.name)
      : [],
    loops: (generation?.loops ?? []).map((loop) => loop.report()),
    subscriptions: generation?.events.topics ?? [],
    cleanups: generation?.scope.size ?? 0,
    running: routes.running + gate.running,
    held: routes.held + gate.waiting,
    tables: deps.store.tableSizes(name),
    counters: deps.counters(name).read(),
    diagnostics: readDiagnostics(record),
  };
}

/** What the plugin says of itself, `{}` while it is off. A plugin that throws here must not break the overview. */
export function readDiagnostics(record: PluginRecord): Record<string, unknown> {
  try {
    const said = record.generation?.parts.diagnostics?.() ?? {};
    if (record.loaded?.foreign !== true) return said;
    const plain = plainValue(said);
    return typeof plain === 'object' && plain !== null ? { ...plain } : { said: plain };
  } catch (error) {
    return { error: textOf(error) };
  }
}
