import { Type, type Static } from '../../sdk/typebox.ts';
import { commandErrors } from '../../command/errors.ts';
import {
  type ConfigFault,
  configErrors,
  nodeFaults,
  readContent,
  setNodeKey,
  writeContent,
} from '../../config/index.ts';
import { dataPaths, lockDataDirectory } from '../../store/index.ts';
import { type ControlDeps, type KernelCommands, kernelCommand } from '../deps.ts';

const Key = Type.String({
  description: '`node.<key>` or `<plugin>.<key>`',
  pattern: '^[a-z][a-z0-9-]*\\.[A-Za-z0-9_.-]+$',
});

const Problem = Type.Object({ key: Type.String(), problem: Type.String() });
const List = Type.Object({
  settings: Type.Record(Type.String(), Type.Unknown()),
  problems: Type.Array(Problem, { description: 'What the file has that cannot be used' }),
});
const Changed = Type.Object({
  key: Type.String(),
  value: Type.Unknown({ description: 'null when it was unset' }),
  restart: Type.Boolean(),
  problem: Type.Union([Type.String(), Type.Null()], {
    description: 'What else is wrong with the settings beside it and keeps them from being used',
  }),
});
const Setting = Type.Object({ key: Key, value: Type.Unknown({ description: 'JSON, or plain text for a text' }) });

const specs = {
  list: {
    about: 'Every setting in force, of the node and of its active plugins, and what is wrong in the file',
    params: Type.Object({}),
    result: List,
    text: ({ settings, problems }: Static<typeof List>) =>
      [
        ...Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
        ...problems.map(({ key, problem }) => `! ${key}: ${problem}`),
      ].join('\n'),
  },
  get: {
    about: 'One setting in force',
    params: Type.Object({ key: Key }),
    result: Type.Object({ key: Type.String(), value: Type.Unknown() }),
    positional: ['key'],
    text: ({ value }: { value: unknown }) => (typeof value === 'string' ? value : JSON.stringify(value)),
  },
  set: {
    about: 'Change one setting; says whether it takes a restart',
    params: Setting,
    result: Changed,
    positional: ['key', 'value'],
    text: (changed: Static<typeof Changed>) => told(`${changed.key} = ${JSON.stringify(changed.value)}`, changed),
  },
  unset: {
    about: 'Take one setting out of the file; its default counts again',
    params: Type.Object({ key: Key }),
    result: Changed,
    positional: ['key'],
    text: (changed: Static<typeof Changed>) => told(`${changed.key} is unset`, changed),
  },
} as const;

/** `config get|set|unset|list`. A plugin's change is a swap of the same code, so it needs no restart. */
export const configCommands: KernelCommands = {
  'config.list': kernelCommand(specs.list, (_params, _call, deps) => listed(owners(deps))),
  'config.get': kernelCommand(specs.get, ({ key }, _call, deps) => found(key, owners(deps))),
  'config.set': kernelCommand(specs.set, ({ key, value }, _call, deps) => change(deps, key, readValue(value))),
  'config.unset': kernelCommand(specs.unset, ({ key }, _call, deps) => change(deps, key, undefined)),
};

/**
 * The same on the file alone, for a node that does not run, perhaps because of what is in the file. A plugin's
 * settings are shown as they are written and are not checked before the node starts.
 */
export const configFileCommands: KernelCommands<Pick<ControlDeps, 'dataDir'>> = {
  'config.list': kernelCommand(specs.list, (_params, _call, { dataDir }) => listed(written(dataDir))),
  'config.get': kernelCommand(specs.get, ({ key }, _call, { dataDir }) => found(key, written(dataDir))),
  'config.set': kernelCommand(specs.set, ({ key, value }, _call, { dataDir }) =>
    changeFile(dataDir, key, readValue(value)),
  ),
  'config.unset': kernelCommand(specs.unset, ({ key }, _call, { dataDir }) => changeFile(dataDir, key, undefined)),
};

interface Owner {
  readonly name: string;
  readonly values: object;
  readonly problems: readonly Static<typeof Problem>[];
}

function owners({ config, host }: ControlDeps): Owner[] {
  return [
    { name: 'node', values: config.node, problems: config.nodeFaults().map(problemOf) },
    ...host
      .list()
      .filter(({ state }) => state !== 'off')
      .map(({ name }) => ({ name, ...host.settings(name) })),
  ];
}

function written(dataDir: string): Owner[] {
  const path = dataPaths(dataDir).config;
  const content = readContent(path);
  const plugins = Object.entries(content.plugins);
  return [
    { name: 'node', values: content.node, problems: nodeFaults(content, path).map(problemOf) },
    ...plugins.map(([name, { config = {} }]) => ({ name, values: config, problems: [] })),
  ];
}

function listed(all: readonly Owner[]): Static<typeof List> {
  const settings = all.flatMap(({ name, values }) =>
    Object.entries(values).map(([key, value]) => [`${name}.${key}`, value] as const),
  );
  const problems = all.flatMap(({ name, problems }) =>
    problems.map(({ key, problem }) => ({ key: `${name}.${key}`, problem })),
  );
  return { settings: Object.fromEntries(settings), problems };
}

function found(key: string, all: readonly Owner[]): { key: string; value: unknown } {
  const { settings } = listed(all);
  if (Object.hasOwn(settings, key)) return { key, value: settings[key] };
  throw refused('config.get', `there is no setting ${key}, or its plugin is off`);
}

/** @throws config/*, command/bad-params: then the file is not changed */
async function change({ config, host }: ControlDeps, key: string, value: unknown): Promise<Static<typeof Changed>> {
  const [owner, name] = split(key);
  if (owner === 'node') {
    const { restart } = config.setNode(name, value);
    return { key, value: value ?? null, restart, problem: config.nodeFaults()[0]?.error.message ?? null };
  }
  const { outcome, reason, saved } = await host.configure(owner, (before) => changed(before, key, name, value));
  if (!saved) throw refused('config.set', reason ?? `${owner} refused it`);
  const problem = outcome === 'committed' || outcome === 'disabled' ? null : (reason ?? null);
  return { key, value: value ?? null, restart: false, problem };
}

/** @throws config/*, store/locked while a node has the directory */
function changeFile(dataDir: string, key: string, value: unknown): Static<typeof Changed> {
  const [owner, name] = split(key);
  const path = dataPaths(dataDir).config;
  const lock = lockDataDirectory(dataDir);
  try {
    const content = readContent(path);
    if (owner === 'node') setNodeKey(content, path, name, value);
    else {
      const entry = Object.hasOwn(content.plugins, owner) ? content.plugins[owner] : undefined;
      content.plugins[owner] = { ...entry, config: changed(entry?.config ?? {}, key, name, value) };
    }
    writeContent(path, content);
    return { key, value: value ?? null, restart: true, problem: nodeFaults(content, path)[0]?.error.message ?? null };
  } finally {
    lock.release();
  }
}

function changed(before: Readonly<Record<string, unknown>>, key: string, name: string, value: unknown) {
  if (value !== undefined) return { ...before, [name]: value };
  if (!Object.hasOwn(before, name)) throw configErrors.make('not-set', { key });
  const { [name]: _taken, ...rest } = before;
  return rest;
}

function told(what: string, { restart, problem }: Static<typeof Changed>): string {
  return `${what}${restart ? ' (from the next start on)' : ''}${problem === null ? '' : `\nStill wrong: ${problem}`}`;
}

function problemOf({ key, error }: ConfigFault): Static<typeof Problem> {
  return { key, problem: error.message };
}

function refused(command: string, detail: string) {
  return commandErrors.make('bad-params', { command, usage: 'config list', detail });
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
