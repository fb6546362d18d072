import type { ConfigFile } from '../config/config.ts';
import { resolvePluginConfig } from '../config/index.ts';
import type { Migration } from '../sdk/database.ts';
import { messageOf } from '../sdk/errors.ts';
import { pluginChanged } from '../sdk/lifecycle-topics.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { type Token, tokenKey } from '../sdk/token.ts';
import { CapabilityPublisher } from './capability-publisher.ts';
import type { ChangeQueue } from './change-queue.ts';
import { lifecycleErrors } from './errors.ts';
import { Generation } from './generation.ts';
import { type LoadedPlugin, loadPlugin } from './loader.ts';
import { needsOf } from './manifest.ts';
import { checkAgainstOthers, checkContributions } from './plugin-checks.ts';
import type { SwapOutcome } from './plugin-host.ts';
import { migrationsFor, type PluginRecord } from './plugin-record.ts';
import type { PluginRegistry } from './plugin-registry.ts';
import { Probation } from './probation.ts';
import { type SwapDeps, switchGeneration, withdraw } from './swap.ts';

export interface SwapperDeps extends SwapDeps {
  readonly config: ConfigFile;
}

/**
 * Carries out what the host decided: loads code, checks and prepares it beside the running
 * generation, switches, watches the new one in its probation and swaps back. The steps have the
 * numbers of docs/hot-swap.md.
 */
export class PluginSwapper {
  readonly #deps: SwapperDeps;
  readonly #registry: PluginRegistry;
  readonly #changes: ChangeQueue;
  readonly #capabilities: CapabilityPublisher;
  readonly #probations = new Map<string, Probation>();
  readonly #signal: AbortSignal;
  #running = false;

  /** `signal` aborts when the node stops. */
  constructor(deps: SwapperDeps, registry: PluginRegistry, changes: ChangeQueue, signal: AbortSignal) {
    this.#deps = deps;
    this.#registry = registry;
    this.#changes = changes;
    this.#signal = signal;
    this.#capabilities = new CapabilityPublisher(deps.bus, registry);
    signal.addEventListener('abort', () => {
      for (const probation of this.#probations.values()) probation.cancel();
    });
  }

  get features(): readonly string[] {
    return this.#capabilities.features;
  }

  /** From now on plugins act by themselves as soon as they are committed. */
  begin(): void {
    this.#running = true;
    for (const record of this.#registry.all()) record.generation?.run();
  }

  /** What goes back together with the code if the present probation of this plugin fails. */
  onRollback(name: string, undo: () => void): void {
    const probation = this.#probations.get(name);
    if (probation) probation.undo = undo;
  }

  /** Step 1, and the rest as `swap`. Never throws. */
  async load(record: PluginRecord, path: string): Promise<SwapOutcome> {
    try {
      const loaded = await loadPlugin(path, this.#deps.clock, this.#signal);
      if (loaded.plugin.name !== record.name) {
        throw lifecycleErrors.make('wrong-name', { path, found: loaded.plugin.name, name: record.name });
      }
      return await this.swap(record, loaded, migrationsFor(record));
    } catch (error) {
      return this.refuse(record, error);
    }
  }

  /** Steps 2 to 4 (check, migrate, prepare), then the switch; never throws. */
  async swap(
    record: PluginRecord,
    loaded: LoadedPlugin,
    migrationKinds: readonly Migration['kind'][],
    rawConfig: unknown = this.#deps.config.plugin(record.name).config,
  ): Promise<SwapOutcome> {
    const deps = this.#deps;
    const startedMs = deps.clock.monotonic();
    const { plugin } = loaded;
    let next: Generation | undefined;
    let migrated: readonly string[] = [];
    try {
      this.#signal.throwIfAborted();
      checkAgainstOthers(deps, this.#registry, plugin);
      const others = (name: string): unknown => deps.config.plugin(name).config;
      const config = resolvePluginConfig(plugin.config, rawConfig, plugin.name, others);
      migrated = deps.store.migrate(plugin.name, plugin.migrations ?? [], migrationKinds);
      next = await Generation.prepare(deps, plugin, config as Record<string, unknown>, this.#signal);
    } catch (error) {
      deps.store.takeBack(plugin.name, migrated);
      return this.refuse(record, error);
    }
    return this.#changes.turn(() => this.#commit(record, loaded, next, migrated, startedMs));
  }

  /** Checks again what other plugins may have changed meanwhile, then steps 5 to 9; never throws. */
  async #commit(
    record: PluginRecord,
    loaded: LoadedPlugin,
    next: Generation,
    migrated: readonly string[],
    startedMs: number,
  ): Promise<SwapOutcome> {
    const deps = this.#deps;
    const { plugin } = loaded;
    const before = { loaded: record.loaded, generation: record.generation };
    try {
      this.#signal.throwIfAborted();
      checkAgainstOthers(deps, this.#registry, plugin);
      checkContributions(deps, next);
    } catch (error) {
      await next.scope.close(error);
      deps.store.takeBack(plugin.name, migrated);
      return this.refuse(record, error);
    }
    this.#endProbation(record.name);
    try {
      const heldMs = await switchGeneration(deps, record, next);
      record.loaded = loaded;
      this.#capabilities.changed(before.generation?.plugin, plugin);
      if (before.generation && before.loaded) this.#watch(record, next, before.loaded, before.generation.config);
      if (this.#running) this.#startWaiting(plugin);
      return this.outcome(record, 'committed', undefined, heldMs, deps.clock.monotonic() - startedMs);
    } catch (error) {
      deps.store.takeBack(plugin.name, migrated);
      record.reason = messageOf(error);
      return this.outcome(record, 'rolled-back', record.reason);
    } finally {
      if (this.#running) record.generation?.run();
    }
  }

  /** Those that could not start for want of a service are tried when it comes. */
  #startWaiting(provider: AnyPlugin): void {
    const offered = (provider.provides ?? []).map((token: Token<unknown>) => tokenKey(token));
    for (const record of this.#registry.all()) {
      if (record.state !== 'failed' || !record.plugin || !this.#deps.config.plugin(record.name).enabled) continue;
      if (!needsOf(record.plugin).some(({ token, optional }) => !optional && offered.includes(tokenKey(token))))
        continue;
      void this.#changes.inLine(record.name, async () => {
        if (record.state === 'failed') await this.load(record, record.path);
      });
    }
  }

  #watch(record: PluginRecord, fresh: Generation, old: LoadedPlugin, oldConfig: unknown): void {
    const probation = new Probation(this.#deps.clock, fresh, (reason) => {
      void this.#changes.inLine(record.name, async () => {
        if (record.generation !== fresh) return;
        const outcome = await this.swap(record, old, [], oldConfig);
        if (outcome.outcome !== 'committed') return;
        this.#endProbation(record.name);
        probation.undo();
        record.reason = `rolled back: ${reason}`;
        this.outcome(record, 'rolled-back', reason);
      });
    });
    this.#probations.set(record.name, probation);
  }

  #endProbation(name: string): void {
    this.#probations.get(name)?.cancel();
    this.#probations.delete(name);
  }

  async switchOff(record: PluginRecord, reason: string): Promise<SwapOutcome> {
    this.#endProbation(record.name);
    const before = record.generation?.plugin;
    await this.#changes.turn(() =>
      withdraw(this.#deps, record, lifecycleErrors.make('service-off', { service: record.name })),
    );
    record.state = 'off';
    record.reason = reason;
    this.#capabilities.changed(before, undefined);
    return this.outcome(record, 'disabled', reason);
  }

  refuse(record: PluginRecord, error: unknown): SwapOutcome {
    const reason = messageOf(error);
    if (record.generation) record.reason = `refused: ${reason}`;
    else record.fail(reason);
    this.#deps.log('lifecycle').warn('swap-refused', { plugin: record.name, reason });
    return this.outcome(record, 'refused', reason);
  }

  outcome(
    record: PluginRecord,
    outcome: SwapOutcome['outcome'],
    reason: string | undefined,
    heldMs = 0,
    totalMs = 0,
  ): SwapOutcome {
    const { name, state, generations: generation } = record;
    const version = record.plugin?.version ?? '';
    this.#deps.bus.publish(pluginChanged, { name, version, state, generation, outcome, reason });
    return { name, outcome, generation, reason, heldMs, totalMs };
  }
}
