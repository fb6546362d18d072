import 'reflect-metadata';
import { container, type DependencyContainer } from 'tsyringe';

/** What every node's root container holds, by tsyringe token; plugins find it through `ctx.container`. */
export interface RootParts {
  readonly clock: unknown;
  readonly random: unknown;
  readonly bus: unknown;
  readonly network: unknown;
}

/**
 * The root of one node's containers. Several nodes may live in one process (tests, the simulator), so
 * nothing is registered in tsyringe's global container itself.
 */
export function createRootContainer(parts: RootParts): DependencyContainer {
  const root = container.createChildContainer();
  for (const [name, part] of Object.entries(parts)) root.registerInstance(name, part);
  return root;
}
