import { Type } from '../../sdk/typebox.ts';
import { type ControlDeps, type KernelCommands, kernelCommand } from '../deps.ts';
import { commandErrors } from '../../command/errors.ts';

const Status = Type.Object(
  {
    node_id: Type.String(),
    device_id: Type.String(),
    version: Type.String(),
    pid: Type.Integer(),
    uptime_ms: Type.Integer(),
    port: Type.Integer(),
    peers: Type.Integer({ description: 'Distinct identities we are connected to' }),
    plugins: Type.Object({ active: Type.Integer(), off: Type.Integer(), failed: Type.Integer() }),
    rss_bytes: Type.Integer(),
    data_dir: Type.String(),
  },
  { additionalProperties: true, description: 'Active plugins add their own figures, such as posts' },
);

/** The node as a whole: its state, its end, and why something is as it is. */
export const nodeCommands: KernelCommands = {
  status: kernelCommand(
    { about: 'What this node is and how it is doing', params: Type.Object({}), result: Status },
    (_params, _call, deps) => {
      const own = {
        node_id: deps.network.self.nodeId,
        device_id: deps.network.self.deviceId,
        version: deps.version,
        pid: process.pid,
        uptime_ms: Math.round(process.uptime() * 1000),
        port: deps.network.port,
        peers: new Set(deps.network.connections().map(({ peer }) => peer.nodeId)).size,
        plugins: countStates(deps),
        rss_bytes: process.memoryUsage.rss(),
        data_dir: deps.dataDir,
      };
      // A plugin adds figures; it cannot replace the node's own.
      return { ...own, ...pluginFigures(deps), ...own };
    },
  ),

  shutdown: kernelCommand(
    {
      about: 'Stop the node cleanly',
      params: Type.Object({}),
      result: Type.Object({ stopping: Type.Boolean(), pid: Type.Integer() }),
      text: () => 'The node is stopping.',
    },
    (_params, _call, deps) => {
      // One turn later: stopping ends every call under way, and this one is to be answered.
      setImmediate(() => deps.stop());
      return { stopping: true, pid: process.pid };
    },
  ),

  why: kernelCommand(
    {
      about: 'Explain a plugin’s state, or what another command can explain: why peer ID asks `peer explain`',
      params: Type.Object({
        thing: Type.String({ description: 'plugin, or the noun of a command `<noun> explain`' }),
        id: Type.Optional(Type.String({ description: 'Which one' })),
      }),
      result: Type.Unknown(),
      positional: ['thing', 'id'],
    },
    ({ thing, id }, call, deps) => {
      if (thing === 'plugin') return explainPlugin(deps, id);
      const found = deps.host.commands().get(`${thing}.explain`);
      if (found === undefined) {
        const nouns = [...deps.host.commands().keys()].filter((name) => name.endsWith('.explain'));
        const known = ['plugin', ...nouns.map((name) => name.slice(0, -'.explain'.length))].join(', ');
        throw commandErrors.make('bad-params', {
          command: 'why',
          usage: 'why',
          detail: `nothing explains ${thing}; known: ${known}`,
        });
      }
      const first = found.spec.positional?.[0];
      return deps.host.run(`${thing}.explain`, first === undefined || id === undefined ? {} : { [first]: id }, call);
    },
  ),
};

function pluginFigures(deps: ControlDeps): Record<string, unknown> {
  const figures = {};
  for (const { name, state } of deps.host.list()) {
    const { status } = state === 'active' ? deps.host.diagnostics(name) : {};
    if (typeof status === 'object' && status !== null) Object.assign(figures, status);
  }
  return figures;
}

function countStates(deps: ControlDeps): { active: number; off: number; failed: number } {
  const counts = { active: 0, off: 0, failed: 0 };
  for (const { state } of deps.host.list()) counts[state]++;
  return counts;
}

function explainPlugin(deps: ControlDeps, name: string | undefined) {
  const plugins = deps.host.list().filter((plugin) => name === undefined || plugin.name === name);
  if (plugins.length === 0) {
    throw commandErrors.make('bad-params', { command: 'why', usage: 'why', detail: `there is no plugin ${name}` });
  }
  const found = plugins.map(({ name: plugin, state, generation, source, reason }) => ({
    name: plugin,
    state,
    generation,
    source,
    reason: reason ?? (state === 'off' ? 'it was disabled' : 'nothing was refused or rolled back'),
  }));
  return name === undefined ? found : found[0];
}
