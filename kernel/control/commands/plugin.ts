import { Type, type Static } from '../../sdk/typebox.ts';
import type { SwapOutcome } from '../../lifecycle/plugin-host.ts';
import { controlErrors } from '../errors.ts';
import { kernelCommand, type KernelCommands } from '../deps.ts';

const Name = Type.Object({ name: Type.String({ description: 'Plugin name, as `plugin list` shows it' }) });
const Path = Type.String({ format: 'path', description: 'A .ts or .js file, or a plugin folder' });

const Outcome = Type.Object({
  name: Type.String(),
  outcome: Type.String({ description: 'committed or disabled; what is refused is an error' }),
  generation: Type.Integer(),
  reason: Type.Union([Type.String(), Type.Null()]),
  held_ms: Type.Number({ description: 'How long its messages waited' }),
  total_ms: Type.Number(),
});

const Summary = Type.Object({
  name: Type.String(),
  version: Type.String(),
  state: Type.String({ description: 'active, off or failed' }),
  generation: Type.Integer(),
  source: Type.String(),
  about: Type.String(),
  reason: Type.Union([Type.String(), Type.Null()]),
});

type Swap = 'enable' | 'disable' | 'reload' | 'remove';

/** A command that swaps one plugin by name. */
function swapCommand(verb: Swap, about: string, confirm?: string) {
  return kernelCommand(
    {
      about,
      params: Name,
      result: Outcome,
      positional: ['name'],
      text: outcomeLine,
      ...(confirm === undefined ? {} : { confirm }),
    },
    async ({ name }, _call, { host }) => outcomeOf(await host[verb](name)),
  );
}

/** `plugin list|inspect|enable|disable|reload|replace|add|remove`. */
export const pluginCommands: KernelCommands = {
  'plugin.list': kernelCommand(
    {
      about: 'All plugins with state and generation',
      params: Type.Object({}),
      result: Type.Object({ plugins: Type.Array(Summary) }),
    },
    (_params, _call, { host }) => ({
      plugins: host.list().map(({ name, version, state, generation, source, about, reason }) => ({
        ...{ name, version, state, generation, source, about },
        reason: reason ?? null,
      })),
    }),
  ),
  'plugin.inspect': kernelCommand(
    {
      about: 'What a live plugin holds: handlers, loops, subscriptions, points, contributions, tables, counters',
      params: Name,
      result: Type.Unknown(),
      positional: ['name'],
    },
    ({ name }, _call, { host }) => host.inspect(name),
  ),
  'plugin.enable': swapCommand('enable', 'Switch a plugin on'),
  'plugin.disable': swapCommand('disable', 'Switch a plugin off; peers are told so that they stop asking'),
  'plugin.reload': swapCommand('reload', 'Load a plugin’s code again and swap it in without losing a message'),
  'plugin.remove': swapCommand('remove', 'Take an added plugin out and forget it', 'Remove this plugin?'),
  'plugin.replace': kernelCommand(
    {
      about: 'Swap in other code under the same name; remembered over restarts',
      params: Type.Object({ name: Name.properties.name, path: Path }),
      result: Outcome,
      positional: ['name', 'path'],
      text: outcomeLine,
    },
    async ({ name, path }, _call, { host }) => outcomeOf(await host.replace(name, path)),
  ),
  'plugin.add': kernelCommand(
    {
      about: 'Add a plugin from a file or folder; remembered over restarts',
      params: Type.Object({ path: Path }),
      result: Outcome,
      positional: ['path'],
      text: outcomeLine,
    },
    async ({ path }, _call, { host }) => outcomeOf(await host.add(path)),
  ),
};

const STATE_HINT = 'What ran before still runs; "itsgoin plugin list" shows the state';

/** @throws control/not-swapped, so that whoever asked for a change learns from the exit code that there is none */
function outcomeOf({ name, outcome, generation, reason, hint = STATE_HINT, heldMs, totalMs }: SwapOutcome) {
  if (outcome === 'refused' || outcome === 'rolled-back')
    throw controlErrors.make('not-swapped', { name, outcome, reason: reason ?? 'no reason is known', hint });
  return { name, outcome, generation, reason: reason ?? null, held_ms: heldMs, total_ms: totalMs };
}

function outcomeLine({ name, outcome, generation, reason, held_ms, total_ms }: Static<typeof Outcome>): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `${name} ${outcome}${why} (generation ${generation}, ${Math.round(total_ms)} ms, held ${Math.round(held_ms)} ms)`;
}
