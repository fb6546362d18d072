import type { ConfigFile } from '../config/config.ts';
import type { AnyCommand, CommandCall } from '../sdk/command.ts';
import { messageOf } from '../sdk/errors.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import type { Contribution, Point } from '../sdk/point.ts';
import type { Ref, Token } from '../sdk/token.ts';
import { ChangeQueue } from './change-queue.ts';
import { commandTable, runCommand } from './command-table.ts';
import { lifecycleErrors } from './errors.ts';
import { orderPlugins } from './graph.ts';
import { inspectPlugin, readDiagnostics } from './inspection.ts';
import { isPlugin, type LoadedPlugin } from './loader.ts';
import { PluginCode } from './plugin-code.ts';
import type {
  ConfigChange,
  ConfigOutcome,
  PluginHost,
  PluginInspection,
  PluginSettings,
  PluginSummary,
  SwapOutcome,
} from './plugin-host.ts';
import { migrationsFor, PluginRecord, persistChange } from './plugin-record.ts';
import { checkChange, readSettings } from './plugin-settings.ts';
import { PluginRegistry } from './plugin-registry.ts';
import { type Held, placeOf, RunMarks } from './run-marks.ts';
import { within } from './scope.ts';
import { StrayErrors } from './stray-errors.ts';
import { STOP_DRAIN_MS, withdraw } from './swap.ts';
import { PluginSwapper, type SwapperDeps } from './swapper.ts';

/** A third-party plugin that takes longer to start keeps the next one waiting no more. */
const OTHERS_WAIT_MS = 1_000;

/** Turns of the event loop in which a connection is taken, a question read and its answer written. */
const ANSWER_TURNS = 4;

/**
 * Runs the plugins of one node. Changes of one plugin stand in line, and the switches of all take turns,
 * so that code that is slow to load or set up keeps no other plugin waiting. This class decides what to
 * swap and remembers the result; {@link PluginSwapper} does it.
 */
export class Host implements PluginHost {
  readonly #deps: SwapperDeps;
  readonly #registry: PluginRegistry;
  readonly #swaps: PluginSwapper;
  readonly #changes = new ChangeQueue();
  readonly #stopping = new AbortController();
  readonly #code: PluginCode;
  readonly strays: StrayErrors;

  /** `marks` are those of the data directory; without them nothing is remembered of how a run ends. */
  constructor(deps: SwapperDeps, marks = new RunMarks(undefined, deps.clock, deps.log('lifecycle'))) {
    this.#deps = deps;
    const log = deps.log('lifecycle');
    this.#code = new PluginCode(marks, deps.clock, this.#stopping.signal, deps.beforeForeign);
    this.#registry = new PluginRegistry(deps.config, log, (path) => this.#code.load(path, { unasked: true }));
    this.#swaps = new PluginSwapper(deps, this.#registry, this.#code, this.#changes, this.#stopping.signal);
    this.strays = new StrayErrors({
      plugins: () => this.#registry.all(),
      isForeign: ({ loaded, path }) => this.#code.isForeign(loaded?.path ?? path),
      giveUp: (record, reason) => this.#swaps.giveUp(record, reason),
      clock: deps.clock,
      log,
    });
  }

  /** Loads and commits what ships with the node and is enabled, providers first. What fails is `failed` and the rest goes on. */
  async start(builtin: readonly string[]): Promise<void> {
    for (const path of builtin) this.#code.ships(path);
    for (const path of builtin) await this.#registry.register(path, 'builtin');
    for (const record of this.#startable()) await this.#startOne(record);
  }

  /**
   * The same for third-party plugins: those at `local` paths, and those the config file tells of. Called when the
   * node can be reached, so that code which hangs keeps nothing of the node waiting.
   */
  async startOthers(local: readonly string[]): Promise<void> {
    const sourced = this.#deps.config.added();
    // Code that stands in for another plugin may lie in the local folder, too.
    const own = local.filter((path) => !sourced.some(({ source }) => source === path));
    const late: Promise<unknown>[] = [];
    const wait = async (work: Promise<unknown>): Promise<void> => {
      if (!(await within(work, OTHERS_WAIT_MS, this.#deps.clock))) late.push(work);
      // Each may hold the event loop for seconds before it is found out: who asks meanwhile is answered in between.
      for (let turn = 0; turn < ANSWER_TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    };
    for (const path of own) await wait(this.#registry.register(path, 'local'));
    for (const { name, source } of sourced) {
      if (!this.#registry.has(name)) await wait(this.#registry.register(source, 'added'));
    }
    const start = async (): Promise<void> => {
      for (const record of this.#startable()) {
        if (this.#stopping.signal.aborted) return;
        await wait(this.#changes.inLine(record.name, () => this.#startOne(record)));
      }
    };
    await start();
    // Those that took their time to load start when all of them have.
    if ((await Promise.allSettled(late.splice(0))).length > 0) await start();
  }

  /** What is enabled and does not run, providers first; what cannot start for want of a provider is `failed`. */
  #startable(): PluginRecord[] {
    const enabled = this.#registry
      .all()
      .filter(
        (record) =>
          record.plugin !== undefined && record.state !== 'failed' && this.#deps.config.plugin(record.name).enabled,
      );
    const { order, refused } = orderPlugins(
      enabled.map((record) => record.plugin as AnyPlugin),
      ({ name }) => this.#registry.get(name).origin === 'builtin',
    );
    for (const { plugin, reason } of refused) this.#registry.get(plugin.name).fail(reason);
    return order.map(({ name }) => this.#registry.get(name)).filter(({ generation }) => generation === undefined);
  }

  async #startOne(record: PluginRecord): Promise<void> {
    if (record.generation === undefined) {
      await this.#swaps.swap(record, record.loaded as LoadedPlugin, migrationsFor(record));
    }
  }

  /** A third-party plugin held the event loop until what it waited for was ended: it goes, and is left out from then on. */
  heldUp(held: Held): void {
    const error = lifecycleErrors.make('blocked', { place: placeOf(held) });
    // While its code is being evaluated nobody knows it yet.
    this.#code.marks.leaveOutHolder(held, messageOf(error));
    this.strays.charge(error, { fatal: true, held });
  }

  /** Lets plugins act by themselves (loops, `activate`); called once the node can be reached. */
  begin(): void {
    this.#swaps.begin();
  }

  /** Stops all plugins, users before providers. Nothing is written to the config. */
  async stop(): Promise<void> {
    this.#stopping.abort(lifecycleErrors.make('stopped'));
    await this.#changes.turn(() => this.#withdrawAll());
    this.#code.marks.close();
  }

  async #withdrawAll(): Promise<void> {
    const active = this.#registry.all().filter((record) => record.generation);
    const { order, refused } = orderPlugins(active.map((record) => record.plugin as AnyPlugin));
    // Those whose provider is off have no place in the order, and nobody needs them.
    for (const plugin of [...refused.map((entry) => entry.plugin), ...[...order].reverse()]) {
      await withdraw(this.#deps, this.#registry.get(plugin.name), lifecycleErrors.make('stopped'), STOP_DRAIN_MS);
    }
  }

  list(): readonly PluginSummary[] {
    return this.#registry
      .all()
      .map((record) => record.summary())
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  inspect(name: string): PluginInspection {
    return inspectPlugin(this.#deps, this.#registry.get(name));
  }

  diagnostics(name: string): Readonly<Record<string, unknown>> {
    return readDiagnostics(this.#registry.get(name));
  }

  /** Feature names and message names of all active plugins, sorted: what peers are told we understand. */
  features(): readonly string[] {
    return this.#swaps.features;
  }

  /** What plugins contribute to a point that the kernel owns. */
  contributions<T>(point: Point<T>): readonly Contribution<T>[] {
    return this.#deps.points.contributions(point);
  }

  enable(name: string): Promise<SwapOutcome> {
    return this.#changes.inLine(name, async () => {
      const record = this.#registry.get(name);
      if (record.generation) return this.#swaps.outcome(record, 'committed', undefined);
      return this.#remember(record, { enabled: true }, () => this.#swaps.load(record, record.path));
    });
  }

  disable(name: string): Promise<SwapOutcome> {
    return this.#changes.inLine(name, async () => {
      const record = this.#registry.get(name);
      this.#deps.config.setPlugin(name, { enabled: false });
      return this.#swaps.switchOff(record, 'switched off');
    });
  }

  reload(name: string): Promise<SwapOutcome> {
    return this.#changes.inLine(name, async () => {
      const record = this.#registry.get(name);
      if (record.state === 'off') throw lifecycleErrors.make('off', { name });
      if (record.loaded === undefined && record.origin === 'local') return this.#discover(record);
      return this.#swaps.load(record, record.path);
    });
  }

  replace(name: string, path: string): Promise<SwapOutcome> {
    return this.#changes.inLine(name, async () => {
      const record = this.#registry.get(name);
      const source = path === 'builtin' && record.origin === 'builtin' ? record.ownPath : path;
      const change = { enabled: true, source: source === record.ownPath ? null : source };
      record.fallback = undefined;
      return this.#remember(record, change, () => this.#swaps.load(record, source), source);
    });
  }

  add(path: string): Promise<SwapOutcome> {
    return this.#changes.inLine(path, async () => {
      const loaded = await this.#code.load(path);
      const { name } = loaded.plugin;
      if (this.#registry.has(name)) throw lifecycleErrors.make('already-present', { name });
      const record = new PluginRecord(name, loaded.path, 'added');
      this.#registry.add(record);
      return this.#changes.inLine(name, async () => {
        try {
          const change = { enabled: true, source: loaded.path };
          return await this.#remember(record, change, () => this.#swaps.swap(record, loaded, migrationsFor(record)));
        } finally {
          // What never ran is not remembered, so that it can be mended and added again.
          if (!record.generation) this.#registry.remove(name);
        }
      });
    });
  }

  remove(name: string): Promise<SwapOutcome> {
    return this.#changes.inLine(name, async () => {
      const record = this.#registry.get(name);
      if (record.origin === 'builtin') throw lifecycleErrors.make('builtin', { name });
      if (record.origin === 'local') throw lifecycleErrors.make('local', { name, path: record.ownPath });
      this.#deps.config.setPlugin(name, { source: null });
      const outcome = await this.#swaps.switchOff(record, 'removed');
      this.#registry.remove(name);
      return outcome;
    });
  }

  settings(name: string): PluginSettings {
    return readSettings(this.#deps.config, this.#registry.get(name));
  }

  configure(name: string, change: ConfigChange): Promise<ConfigOutcome> {
    return this.#changes.inLine(name, async () => {
      const record = this.#registry.get(name);
      const { config, wasGood, fault } = checkChange(this.#deps.config, record, change);
      const swap = () => this.#swaps.swap(record, record.loaded as LoadedPlugin, migrationsFor(record));
      if (record.generation && wasGood) {
        const outcome = await this.#remember(record, { config }, swap);
        return { ...outcome, saved: outcome.outcome === 'committed' };
      }
      // Nothing runs with these settings: they are kept even if more has to be mended before it can.
      this.#deps.config.setPlugin(name, { config });
      if (record.state === 'off') return { ...this.#swaps.outcome(record, 'disabled', undefined), saved: true };
      return { ...(fault === undefined ? await swap() : this.#swaps.refuse(record, fault.error)), saved: true };
    });
  }

  /** Code that was never loaded may have another name than its file. */
  async #discover(record: PluginRecord): Promise<SwapOutcome> {
    try {
      const loaded = await this.#code.load(record.path);
      const { name } = loaded.plugin;
      if (name === record.name) return await this.#swaps.swap(record, loaded, migrationsFor(record));
      if (this.#registry.has(name)) throw lifecycleErrors.make('already-present', { name });
      const found = new PluginRecord(name, loaded.path, 'local');
      this.#registry.remove(record.name);
      this.#registry.add(found);
      return await this.#changes.inLine(name, () => this.#swaps.swap(found, loaded, migrationsFor(found)));
    } catch (error) {
      return this.#swaps.refuse(record, error);
    }
  }

  /** A file or folder of the local plugin directory appeared, changed or went. */
  refresh(path: string): Promise<void> {
    const line = this.#registry.at(path)?.name ?? path;
    return this.#changes.inLine(line, async () => {
      const known = this.#registry.at(path);
      if (!isPlugin(path)) {
        if (known?.generation) await this.#swaps.switchOff(known, 'its file was deleted');
        // Forgotten, so that its name is free for the same plugin under another file name.
        if (known?.origin === 'local' && known.ownPath === path) this.#registry.remove(known.name);
        return;
      }
      if (known?.loaded) {
        if (known.state !== 'off' || this.#deps.config.plugin(known.name).enabled) await this.#swaps.load(known, path);
        return;
      }
      if (known) this.#registry.remove(known.name);
      const fresh = await this.#registry.register(path, 'local');
      if (!fresh.loaded || !this.#deps.config.plugin(fresh.name).enabled) return;
      const start = async (): Promise<unknown> => this.#swaps.load(fresh, path);
      // Its name may not have been known before: from now on changes stand in line under it.
      await (line === fresh.name ? start() : this.#changes.inLine(fresh.name, start));
    });
  }

  service<T>(token: Token<T>): Ref<T> {
    return this.#deps.services.ref(token);
  }

  commands(): ReadonlyMap<string, { readonly spec: AnyCommand; readonly plugin: string }> {
    return commandTable(this.#registry.all());
  }

  run(command: string, params: unknown, call: CommandCall): Promise<unknown> {
    return runCommand(this.#registry.all(), this.#deps.points, command, params, call);
  }

  async #remember(
    record: PluginRecord,
    change: Parameters<ConfigFile['setPlugin']>[1],
    work: () => Promise<SwapOutcome>,
    path = record.path,
  ): Promise<SwapOutcome> {
    const undo = persistChange(this.#deps.config, record, change, this.#deps.log('lifecycle'));
    const outcome = await work();
    if (outcome.outcome !== 'committed') {
      undo();
      return outcome;
    }
    record.path = path;
    this.#swaps.onRollback(record.name, undo);
    return outcome;
  }
}
