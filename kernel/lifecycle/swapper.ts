import type { ConfigFile } from '../config/config.ts';
import { resolvePluginConfig } from '../config/index.ts';
import type { Migration } from '../sdk/database.ts';
import { ItsgoinError, messageOf } from '../sdk/errors.ts';
import { pluginChanged } from '../sdk/lifecycle-topics.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { type Token, tokenKey } from '../sdk/token.ts';
import { runAs } from './attribution.ts';
import { CapabilityPublisher } from './capability-publisher.ts';
import type { ChangeQueue } from './change-queue.ts';
import { lifecycleErrors } from './errors.ts';
import { Generation } from './generation.ts';
import type { LoadedPlugin } from './loader.ts';
import { needsOf } from './manifest.ts';
import type { PluginCode } from './plugin-code.ts';
import { checkAgainstOthers, checkContributions, claimsOf } from './plugin-checks.ts';
import type { SwapOutcome } from './plugin-host.ts';
import { migrationsFor, type PluginRecord } from './plugin-record.ts';
import type { PluginRegistry } from './plugin-registry.ts';
import { Probation } from './probation.ts';
import { type SwapDeps, switchGeneration, withdraw } from './swap.ts';

export interface SwapperDeps extends SwapDeps {
  readonly config: ConfigFile;
  /** Called once, before the first code of a third-party plugin is evaluated. */
  readonly beforeForeign?: () => void;
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
  readonly #code: PluginCode;
  readonly #signal: AbortSignal;
  #running = false;

  /** `signal` aborts when the node stops. */
  constructor(
    deps: SwapperDeps,
    registry: PluginRegistry,
    code: PluginCode,
    changes: ChangeQueue,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#registry = registry;
    this.#code = code;
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
  async load(record: PluginRecord, path: string, options: { readonly unasked?: boolean } = {}): Promise<SwapOutcome> {
    try {
      const loaded = await this.#code.load(path, options);
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
      const resolve = (): unknown => resolvePluginConfig(plugin.config, rawConfig, plugin.name, others);
      const config = loaded.foreign ? runAs(plugin.name, resolve) : resolve();
      if (loaded.foreign)
        this.#code.marks.starting({ name: plugin.name, path: loaded.home, revision: loaded.revision });
      // What stands in for a plugin of the node has that one's tables.
      const confined = loaded.foreign && record.origin !== 'builtin';
      if (confined) deps.store.confine(plugin.name);
      migrated = deps.store.migrate(plugin.name, plugin.migrations ?? [], migrationKinds);
      next = await Generation.prepare(deps, loaded, config as Record<string, unknown>, this.#signal, confined);
    } catch (error) {
      deps.store.takeBack(plugin.name, migrated);
      this.#mark(record, loaded);
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
      this.#mark(record, loaded);
      return this.refuse(record, error);
    }
    this.#endProbation(record.name);
    try {
      const heldMs = await switchGeneration(deps, record, next);
      record.loaded = loaded;
      this.#mark(record, before.loaded);
      this.#capabilities.changed(before.generation?.plugin, plugin);
      if (before.generation && before.loaded) {
        this.#watch(record, next, loaded, { loaded: before.loaded, config: before.generation.config });
      } else if (loaded.foreign) this.#watch(record, next, loaded);
      if (this.#running) this.#startWaiting(plugin);
      return this.outcome(record, 'committed', undefined, heldMs, deps.clock.monotonic() - startedMs);
    } catch (error) {
      deps.store.takeBack(plugin.name, migrated);
      this.#mark(record, loaded);
      record.reason = messageOf(error);
      return this.outcome(record, 'rolled-back', record.reason);
    } finally {
      if (this.#running) record.generation?.run();
    }
  }

  /** Those that could not start for want of a service are tried when it comes. */
  #startWaiting(provider: AnyPlugin): void {
    const offered = (provider.provides ?? []).map((token: Token<unknown>) => tokenKey(token));
    this.#retry((plugin) =>
      needsOf(plugin).some(({ token, optional }) => !optional && offered.includes(tokenKey(token))),
    );
  }

  /** Those that were refused for a claim of this plugin are tried when it goes. */
  #startRivals(gone: AnyPlugin): void {
    const free = new Set(claimsOf(gone));
    this.#retry((plugin) => claimsOf(plugin).some((claim) => free.has(claim)));
  }

  #retry(concerned: (plugin: AnyPlugin) => boolean): void {
    for (const record of this.#registry.all()) {
      if (record.state !== 'failed' || !record.plugin || !this.#deps.config.plugin(record.name).enabled) continue;
      if (!concerned(record.plugin)) continue;
      void this.#changes.inLine(record.name, async () => {
        if (record.state === 'failed') await this.load(record, record.path, { unasked: true });
      });
    }
  }

  /** Keeps an eye on code that has just begun to run; `old` is what it goes back to. */
  #watch(
    record: PluginRecord,
    fresh: Generation,
    loaded: LoadedPlugin,
    old?: { readonly loaded: LoadedPlugin; readonly config: unknown },
  ): void {
    const probation = new Probation(this.#deps.clock, fresh, (reason) => {
      void this.#changes.inLine(record.name, async () => {
        if (record.generation !== fresh) return;
        this.#leaveOut(record, loaded, reason);
        if (old === undefined) {
          await this.#fail(record, reason);
          return;
        }
        const outcome = await this.swap(record, old.loaded, [], old.config);
        if (outcome.outcome !== 'committed') return;
        this.#endProbation(record.name);
        probation.undo();
        record.reason = `rolled back: ${reason}`;
        this.outcome(record, 'rolled-back', reason);
      });
    });
    this.#probations.set(record.name, probation);
  }

  /** Takes a third-party plugin's present code out of service: back to the one before within its probation, else off. */
  giveUp(record: PluginRecord, reason: string): void {
    const probation = this.#probations.get(record.name);
    if (probation !== undefined) {
      probation.fail(reason);
      return;
    }
    void this.#changes.inLine(record.name, async () => {
      if (record.generation === undefined || record.loaded === undefined) return;
      this.#leaveOut(record, record.loaded, reason);
      await this.#fail(record, reason);
    });
  }

  /** Off, with the reason; one that stands in for a plugin of the node makes room for that one again. */
  async #fail(record: PluginRecord, reason: string): Promise<void> {
    const standsIn = record.origin === 'builtin';
    await this.switchOff(record, reason);
    record.fail(`switched off: ${reason}`);
    this.#deps.log('lifecycle').error('plugin-switched-off', { plugin: record.name, reason });
    if (!standsIn) return;
    record.path = record.ownPath;
    record.fallback = `runs its own code: ${reason}`;
    await this.load(record, record.ownPath);
  }

  #leaveOut({ name }: PluginRecord, { foreign, home, revision }: LoadedPlugin, reason: string): void {
    if (foreign) this.#code.marks.leaveOut({ name, path: home, revision }, reason);
  }

  /** What a run that ends without stopping was running, as of now; `other` is what does not run, or no longer does. */
  #mark({ name, loaded, generation }: PluginRecord, other?: LoadedPlugin): void {
    const { marks } = this.#code;
    if (other?.foreign && other.home !== loaded?.home) marks.ended(other.home);
    if (!loaded?.foreign) return;
    if (generation === undefined) marks.ended(loaded.home);
    else marks.live({ name, path: loaded.home, revision: loaded.revision });
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
    this.#mark(record);
    this.#capabilities.changed(before, undefined);
    if (before) this.#startRivals(before);
    return this.outcome(record, 'disabled', reason);
  }

  refuse(record: PluginRecord, error: unknown): SwapOutcome {
    const reason = messageOf(error);
    if (record.generation) record.reason = `refused: ${reason}`;
    else record.fail(reason);
    this.#deps.log('lifecycle').warn('swap-refused', { plugin: record.name, reason });
    const { hint } = error instanceof ItsgoinError ? error : {};
    return { ...this.outcome(record, 'refused', reason), hint };
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
