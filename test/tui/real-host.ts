import type { ExecutionContext } from 'ava';
import { createControlApi } from '../../kernel/control/api.ts';
import type { ControlDeps } from '../../kernel/control/deps.ts';
import { localClient } from '../../kernel/control/local-client.ts';
import { type HostRig, hostRig } from '../lifecycle/rig.ts';
import { drawUi, type Screen } from './screen.ts';

/** The UI on the real plugin host and control API, without a network and without the plugins that come with the node. */
export async function openOnHost(t: ExecutionContext, plugins: Readonly<Record<string, string>>) {
  const rig = hostRig(t);
  for (const [name, code] of Object.entries(plugins)) await add(t, rig, name, code);
  const client = localClient(createControlApi(depsOf(rig)));
  const screen = await drawUi(client, async () => client);
  t.teardown(async () => {
    screen.close();
    client.close();
    // A command that never answers is waited for on the host's own clock.
    const stopped = rig.host.stop();
    await rig.clock.advance(60_000);
    await stopped;
  });
  return { rig, client, screen };
}

/** Adds a plugin that must be taken. */
export async function add(t: ExecutionContext, rig: HostRig, name: string, code: string): Promise<string> {
  const path = rig.write(`${name}.ts`, code);
  const { outcome, reason } = await rig.host.add(path);
  t.is(outcome, 'committed', reason);
  return path;
}

/** Goes on through the panes of Diagnostics until this one is shown. */
export async function toPane(screen: Screen, title: string): Promise<void> {
  for (let step = 0; step < 12 && screen.session.diagnostics.state.get().pane !== title; step += 1) {
    await screen.press('l');
  }
}

function depsOf({ host, bus, log, clock }: HostRig): ControlDeps {
  const self = { nodeId: 'ab'.repeat(32), deviceId: 'cd'.repeat(32) };
  const deps = {
    ...{ host, bus, log, clock, dataDir: '', version: '0.0.0' },
    network: { self, port: 4433, connections: () => [], localAddresses: () => [] },
    logs: { recent: () => [], subscribe: () => () => {} },
    trace: { subscribe: () => () => {} },
    config: { node: { port: 4433 }, plugin: () => ({ enabled: true }), nodeFaults: () => [] },
  };
  return deps as unknown as ControlDeps;
}
