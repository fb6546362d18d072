import Type from 'typebox';
import { type ControlDeps, type KernelCommands, kernelCommand } from '../deps.ts';
import { commandErrors } from '../../command/errors.ts';

const Key = Type.String({
  description: '`node.<key>` or `<plugin>.<key>`',
  pattern: '^[a-z][a-z0-9-]*\\.[A-Za-z0-9_.-]+$',
});

/** `config get|set|list`. A plugin's change is a swap of the same code, so it needs no restart. */
export const configCommands: KernelCommands = {
  'config.list': kernelCommand(
    {
      about: 'Every setting in force, of the node and of its active plugins',
      params: Type.Object({}),
      result: Type.Record(Type.String(), Type.Unknown()),
      text: (settings) =>
        Object.entries(settings)
          .map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
          .join('\n'),
    },
    (_params, _call, deps) => inForce(deps),
  ),
  'config.get': kernelCommand(
    {
      about: 'One setting in force',
      params: Type.Object({ key: Key }),
      result: Type.Object({ key: Type.String(), value: Type.Unknown() }),
      positional: ['key'],
      text: ({ value }) => (typeof value === 'string' ? value : JSON.stringify(value)),
    },
    ({ key }, _call, deps) => {
      const settings = inForce(deps);
      if (Object.hasOwn(settings, key)) return { key, value: settings[key] };
      const detail = `there is no setting ${key}, or its plugin is off`;
      throw commandErrors.make('bad-params', { command: 'config.get', usage: 'config list', detail });
    },
  ),
  'config.set': kernelCommand(
    {
      about: 'Change one setting; says whether it takes a restart',
      params: Type.Object({
        key: Key,
        value: Type.Unknown({ description: 'JSON, or plain text for a text' }),
      }),
      result: Type.Object({ key: Type.String(), value: Type.Unknown(), restart: Type.Boolean() }),
      positional: ['key', 'value'],
      text: ({ key, value, restart }) =>
        `${key} = ${JSON.stringify(value)}${restart ? ' (from the next start on)' : ''}`,
    },
    async ({ key, value: given }, _call, deps) => {
      const value = readValue(given);
      const [owner, name] = split(key);
      if (owner === 'node') return { key, value, ...deps.config.setNode(name, value) };
      await setPluginKey(deps, owner, name, value);
      return { key, value, restart: false };
    },
  ),
};

function inForce(deps: ControlDeps): Record<string, unknown> {
  const owned: [owner: string, values: object][] = [['node', deps.config.node]];
  for (const { name, state } of deps.host.list()) {
    if (state === 'active') owned.push([name, deps.host.inspect(name).config]);
  }
  return Object.fromEntries(
    owned.flatMap(([owner, values]) => Object.entries(values).map(([key, value]) => [`${owner}.${key}`, value])),
  );
}

/** A plugin that refuses the value keeps the old one, and the file is not changed. */
async function setPluginKey({ host }: ControlDeps, plugin: string, name: string, value: unknown): Promise<void> {
  const { outcome, reason } = await host.configure(plugin, (before) => ({ ...before, [name]: value }));
  if (outcome === 'committed' || outcome === 'disabled') return;
  const detail = reason ?? `${plugin} refused it`;
  throw commandErrors.make('bad-params', { command: 'config.set', usage: 'config list', detail });
}

function split(key: string): [owner: string, name: string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot), key.slice(dot + 1)];
}

/** The command line gives text; what reads as JSON is meant as JSON. */
function readValue(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}
