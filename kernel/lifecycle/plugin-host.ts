import type { AnyCommand, CommandCall } from '../sdk/command.ts';
import type { Contribution, Point } from '../sdk/point.ts';
import type { Ref, Token } from '../sdk/token.ts';

export type PluginState = 'active' | 'off' | 'failed';

export interface PluginSummary {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  readonly state: PluginState;
  /** Counts the committed generations of this process, from 1. */
  readonly generation: number;
  /** `builtin`, or the path it was loaded from. */
  readonly source: string;
  /** Why it is `failed` or was last refused or rolled back. */
  readonly reason: string | undefined;
  /** Names of its commands, which answer while it is active. */
  readonly commands: readonly string[];
}

export interface SwapOutcome {
  readonly name: string;
  readonly outcome: 'committed' | 'refused' | 'rolled-back' | 'disabled';
  readonly generation: number;
  readonly reason: string | undefined;
  /** What can be done about a refusal, by whoever refused. */
  readonly hint?: string | undefined;
  /** How long messages were held, and the whole swap. */
  readonly heldMs: number;
  readonly totalMs: number;
}

type Settings = Readonly<Record<string, unknown>>;
export type ConfigChange = Settings | ((before: Settings) => Settings);

export interface ConfigOutcome extends SwapOutcome {
  /** True when the file has the change, whatever became of the swap. */
  readonly saved: boolean;
}

/** A setting that the plugin's schema refuses. */
export interface SettingProblem {
  /** Its path within the plugin's settings. */
  readonly key: string;
  readonly problem: string;
}

export interface PluginSettings {
  /** Those in force; of a plugin that does not run for what is wrong with it, those the file has. */
  readonly values: Settings;
  /** What the file has that does not resolve; empty as long as the plugin's code does not load. */
  readonly problems: readonly SettingProblem[];
}

/** What a live plugin holds; `plugin inspect` prints it as it is. */
export interface PluginInspection extends PluginSummary {
  readonly config: Readonly<Record<string, unknown>>;
  readonly needs: readonly { token: string; optional: boolean; available: boolean }[];
  /** Kernel resources it injects. */
  readonly resources: readonly string[];
  readonly provides: readonly string[];
  /** Points it owns. */
  readonly points: readonly string[];
  /** What it contributes, as `point: name`. */
  readonly contributes: readonly string[];
  readonly handlers: readonly string[];
  readonly loops: readonly {
    name: string;
    everyMs: number;
    runs: number;
    failures: number;
    lastMs: number | undefined;
  }[];
  readonly subscriptions: readonly string[];
  readonly cleanups: number;
  readonly running: number;
  readonly held: number;
  readonly tables: readonly { name: string; bytes: number }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly diagnostics: Readonly<Record<string, unknown>>;
}

/**
 * The plugins of one node, as the control API sees them. Changes of one plugin happen in call order. Two
 * plugins may be loaded and set up at the same time, but switches run one at a time.
 *
 * What must be remembered is written to the config file before it is done: a file that cannot be
 * written stops the change, and one that is refused or rolled back is taken out of the file again.
 */
export interface PluginHost {
  list(): readonly PluginSummary[];
  /** @throws lifecycle/unknown-plugin */
  inspect(name: string): PluginInspection;
  /**
   * What the plugin's own `diagnostics()` says now, `{}` while it is off; costs no database access.
   * Its entry `status` (an object) is merged into the answer of the `status` command.
   * @throws lifecycle/unknown-plugin
   */
  diagnostics(name: string): Readonly<Record<string, unknown>>;
  /** What plugins contribute to a point, in order. */
  contributions<T>(point: Point<T>): readonly Contribution<T>[];
  enable(name: string): Promise<SwapOutcome>;
  disable(name: string): Promise<SwapOutcome>;
  /** Loads the plugin's code again (from disk when it changed) and swaps it in. @throws lifecycle/off */
  reload(name: string): Promise<SwapOutcome>;
  /** Swaps in other code under the same name, and runs it if the plugin was off; remembered over restarts. */
  replace(name: string, path: string): Promise<SwapOutcome>;
  /** Adds a plugin from a `.ts`/`.js` file or folder; remembered over restarts. */
  add(path: string): Promise<SwapOutcome>;
  /** Takes an added plugin out and forgets it. Built-in ones can only be disabled. */
  remove(name: string): Promise<SwapOutcome>;
  /**
   * Validates and stores a plugin's config, then swaps it in with the same code. A function gets what
   * the file has at the plugin's turn, so that two changes of single keys both count.
   *
   * Settings that did not resolve before can be mended key by key: only what the change touches is checked,
   * and the outcome is `refused` with the next thing that is wrong, or the plugin starts.
   * @throws config/* when what it changes is refused
   */
  configure(name: string, change: ConfigChange): Promise<ConfigOutcome>;
  /** @throws lifecycle/unknown-plugin */
  settings(name: string): PluginSettings;
  /** A service as a plugin that injects it would have it, for who stands outside of all plugins. */
  service<T>(token: Token<T>): Ref<T>;
  /** Commands of active plugins by name; what is missing because its plugin is off is absent. */
  commands(): ReadonlyMap<string, { readonly spec: AnyCommand; readonly plugin: string }>;
  /** Validates params, fills defaults, runs the command. @throws command/unknown-command, command/bad-params, lifecycle/service-off */
  run(command: string, params: unknown, call: CommandCall): Promise<unknown>;
}
