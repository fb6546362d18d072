import { readdirSync } from 'node:fs';
import type { ControlClient } from '../kernel/control/client.ts';
import type { CommandDescription } from '../kernel/control/protocol.ts';
import type { AnyPlugin } from '../kernel/sdk/plugin.ts';

/** What the running node offers; without one, what ships with this version. */
export async function describeCommands(client: ControlClient | undefined): Promise<CommandDescription[]> {
  return client === undefined ? shippedCommands() : client.describe();
}

/** The commands of the kernel and of every plugin that ships, without starting any of them. */
export async function shippedCommands(): Promise<CommandDescription[]> {
  const { describeKernel, describeCommand } = await import('../kernel/control/api.ts');
  const root = new URL('../plugins/', import.meta.url);
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const plugins = await Promise.all(
    readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => loadSpec(new URL(`${name}/plugin.${extension}`, root))),
  );
  return [
    ...describeKernel(),
    ...plugins.flatMap((plugin) =>
      Object.entries(plugin?.commands ?? {}).map(([name, spec]) =>
        describeCommand(name, spec as never, (plugin as AnyPlugin).name),
      ),
    ),
  ];
}

/** A folder without a plugin in it, or one that does not load, offers nothing. */
async function loadSpec(url: URL): Promise<AnyPlugin | undefined> {
  try {
    return ((await import(url.href)) as { default: AnyPlugin }).default;
  } catch {
    return undefined;
  }
}
