import { linkSignals } from '../clock/linked-signal.ts';
import { commandErrors } from '../command/errors.ts';
import { readParams } from '../command/params.ts';
import type { AnyCommand, CommandCall, TextView } from '../sdk/command.ts';
import { ItsgoinError, messageOf } from '../sdk/errors.ts';
import { untilAborted } from '../sdk/kit/abort.ts';
import type { RunResult } from './client.ts';
import { configCommands, configFileCommands } from './commands/config.ts';
import { doctorCommands } from './commands/doctor.ts';
import { identityCommands } from './commands/identity.ts';
import { localCommands } from './commands/local.ts';
import { nodeCommands } from './commands/node.ts';
import { pluginCommands } from './commands/plugin.ts';
import { nodeStreams } from './commands/streams.ts';
import { uiCommands } from './commands/ui.ts';
import type { ControlDeps, KernelCommands, Push } from './deps.ts';
import { controlErrors } from './errors.ts';
import type { CommandDescription, JsonSchema } from './protocol.ts';

/** A command that runs longer is aborted: its caller has long given up. */
const CALL_LIMIT_MS = 10 * 60_000;

const KERNEL_COMMANDS: KernelCommands = {
  ...nodeCommands,
  ...doctorCommands,
  ...pluginCommands,
  ...configCommands,
  ...identityCommands,
  ...uiCommands,
  ...localCommands,
};

/** Commands that can do without a node. */
const LOCAL_COMMANDS: KernelCommands<Pick<ControlDeps, 'dataDir'>> = { ...localCommands, ...configFileCommands };

/** All methods of one node, whoever asks: a socket client or a UI in the same process. */
export interface ControlApi {
  describe(): CommandDescription[];
  /** @throws ItsgoinError always: anything else a handler threw is logged and becomes control/internal. */
  run(command: string, params: unknown, call: CommandCall): Promise<unknown>;
  /** The command's own rendering of a result, where it has one. */
  render(command: string, result: unknown, view: TextView): string | undefined;
  isStream(method: string): boolean;
  /** @throws command/bad-params */
  subscribe(stream: string, params: unknown, push: Push): () => void;
}

export function createControlApi(deps: ControlDeps): ControlApi {
  const own = (name: string) => (Object.hasOwn(KERNEL_COMMANDS, name) ? KERNEL_COMMANDS[name] : undefined);
  const stream = (name: string) => (Object.hasOwn(nodeStreams, name) ? nodeStreams[name] : undefined);

  async function dispatch(command: string, params: unknown, call: CommandCall): Promise<unknown> {
    const kernel = own(command);
    if (kernel !== undefined) return kernel.run(readParams(command, kernel.spec.params, params), call, deps);
    return deps.host.run(command, params, call);
  }

  return {
    describe: () => [
      ...describeKernel(),
      ...[...deps.host.commands()].map(([name, { spec, plugin }]) => describeCommand(name, spec, plugin)),
    ],

    async run(command, params, call) {
      const limit = linkSignals([call.signal], { deadlineMs: CALL_LIMIT_MS, clock: deps.clock });
      const progress = (step: string, fraction?: number) => call.progress(step, fraction);
      try {
        limit.signal.throwIfAborted();
        // A handler that ignores its signal must not keep its caller waiting.
        return await untilAborted(dispatch(command, params, { signal: limit.signal, progress }), limit.signal);
      } catch (error) {
        if (error instanceof ItsgoinError) throw error;
        if (limit.signal.aborted) throw controlErrors.make('cancelled', {}, error);
        deps.log.error('command-failed', { command, error });
        throw controlErrors.make('internal', { command, detail: messageOf(error) }, error);
      } finally {
        limit.dispose();
      }
    },

    render(command, result, view) {
      const spec = own(command)?.spec ?? deps.host.commands().get(command)?.spec;
      try {
        return spec?.text?.(result, view);
      } catch (error) {
        deps.log.warn('render-failed', { command, error });
        return undefined;
      }
    },

    isStream: (method) => stream(method) !== undefined,

    subscribe(name, params, push) {
      const found = stream(name);
      if (found === undefined) throw commandErrors.make('unknown-command', { command: name });
      return found.start(readParams(name, found.params, params) as Record<string, unknown>, push, deps);
    },
  };
}

/** True for the name of a command or stream of the node itself, and under the words the command line keeps. */
export function isKernelCommand(name: string): boolean {
  return Object.hasOwn(KERNEL_COMMANDS, name) || Object.hasOwn(nodeStreams, name) || /^(help|repl)\./.test(name);
}

/** Descriptions of the node's own methods; also what the docs and an offline `--help` are made from. */
export function describeKernel(): CommandDescription[] {
  return [
    ...Object.entries(KERNEL_COMMANDS).map(([name, { spec }]) => ({
      ...describeCommand(name, spec, 'kernel'),
      ...localOf(name),
    })),
    ...Object.entries(nodeStreams).map(([name, spec]) => ({
      name,
      about: spec.about,
      plugin: 'kernel',
      kind: 'subscription' as const,
      params: spec.params as JsonSchema,
      result: spec.event as JsonSchema,
      positional: [],
    })),
  ];
}

function localOf(name: string): Pick<CommandDescription, 'local'> {
  if (Object.hasOwn(localCommands, name)) return { local: 'always' };
  return Object.hasOwn(configFileCommands, name) ? { local: 'without-node' } : {};
}

/** Runs a command that is marked `local`, without a node. @throws command/unknown-command, command/bad-params */
export async function runLocal(
  command: string,
  params: unknown,
  call: CommandCall,
  dataDir: string,
  view: TextView,
): Promise<RunResult> {
  const local = Object.hasOwn(LOCAL_COMMANDS, command) ? LOCAL_COMMANDS[command] : undefined;
  if (local === undefined) throw commandErrors.make('unknown-command', { command });
  const result = await local.run(readParams(command, local.spec.params, params), call, { dataDir });
  return { result, text: local.spec.text?.(result, view), failure: local.failure?.(result) };
}

export function describeCommand(name: string, spec: AnyCommand, plugin: string): CommandDescription {
  return {
    name,
    about: spec.about,
    plugin,
    kind: 'call',
    params: spec.params as JsonSchema,
    result: spec.result as JsonSchema,
    positional: spec.positional ?? [],
    ...(spec.confirm === undefined ? {} : { confirm: spec.confirm }),
  };
}
