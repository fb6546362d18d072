import type { Static, TSchema } from '../sdk/typebox.ts';
import type { Bus } from '../bus/bus.ts';
import type { ConfigFile } from '../config/config.ts';
import type { PluginHost } from '../lifecycle/plugin-host.ts';
import type { Clock } from '../sdk/clock.ts';
import type { AnyCommand, CommandCall, CommandSpec } from '../sdk/command.ts';
import type { ItsgoinError } from '../sdk/errors.ts';
import type { Log } from '../sdk/log.ts';
import type { Network } from '../sdk/network.ts';
import type { Gauges, LogBook } from '../observe/index.ts';
import type { Store } from '../store/store.ts';
import type { Trace } from '../wire/trace.ts';

/** What the control API works on: the node's parts, none of them known by a plugin's name. */
export interface ControlDeps {
  readonly dataDir: string;
  readonly version: string;
  readonly clock: Clock;
  readonly host: PluginHost;
  readonly network: Network;
  readonly store: Pick<Store, 'integrityCheck'>;
  readonly bus: Pick<Bus, 'all'>;
  readonly config: ConfigFile;
  readonly log: Log;
  readonly trace: Pick<Trace, 'subscribe'>;
  readonly logs: Pick<LogBook, 'recent' | 'subscribe'>;
  readonly gauges: Pick<Gauges, 'read'>;
  /** Asks the node to stop and returns at once. */
  stop(): void;
}

/** A command of the node itself: data, and a handler that is given what it needs of the node. */
export interface KernelCommand<Deps = ControlDeps> {
  readonly spec: AnyCommand;
  run(params: unknown, call: CommandCall, deps: Deps): unknown;
  /** The error with which the command line ends though there is a result to show. */
  failure?(result: unknown): ItsgoinError | undefined;
}

export type KernelCommands<Deps = ControlDeps> = Readonly<Record<string, KernelCommand<Deps>>>;

/** Ties a handler to its spec; only for inference. */
export function kernelCommand<
  Params extends TSchema,
  Result extends TSchema,
  Deps = ControlDeps,
  Given = Static<Params>,
  Answer = Static<Result>,
>(
  spec: CommandSpec<Params, Result, NoInfer<Answer>>,
  run: (params: NoInfer<Given>, call: CommandCall, deps: Deps) => NoInfer<Answer> | Promise<NoInfer<Answer>>,
  failure?: (result: NoInfer<Answer>) => ItsgoinError | undefined,
): KernelCommand<Deps> {
  return { spec, run, failure } as KernelCommand<Deps>;
}

/** A method that streams events to its caller until it unsubscribes. */
export interface KernelStream {
  readonly about: string;
  readonly params: TSchema;
  readonly event: TSchema;
  /** Returns the unsubscribe. */
  start(params: Readonly<Record<string, unknown>>, push: Push, deps: ControlDeps): () => void;
}

/** Hands on one event; never blocks. `dropped` events before it were lost at the source. */
export type Push = (event: unknown, dropped?: number) => void;
