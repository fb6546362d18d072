import { appendFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { PluginHost, SwapOutcome } from '../../kernel/lifecycle/plugin-host.ts';

/** The plugins that ship with the node. */
export const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url));

/** Every way to change a plugin of a running node; `replace` is by changed code. */
export const SWAP_WAYS = ['reload', 'off and on', 'replace'] as const;
export type SwapWay = (typeof SWAP_WAYS)[number];

export async function swapOnce(host: PluginHost, name: string, way: SwapWay, copies: Copies): Promise<SwapOutcome[]> {
  switch (way) {
    case 'reload':
      return [await host.reload(name)];
    case 'off and on':
      return [await host.disable(name), await host.enable(name)];
    case 'replace':
      return [await host.replace(name, copies.next(name))];
  }
}

let made = 0;

/** A copy of the plugins, beside the originals so that their imports of the kernel hold. */
export class Copies {
  readonly #root = `${PLUGINS}-copy-${process.pid}-${++made}`;
  #revision = 0;

  constructor(t: ExecutionContext) {
    cpSync(PLUGINS, this.#root, { recursive: true });
    t.teardown(() => rmSync(this.#root, { recursive: true, force: true }));
  }

  /** The path of a plugin whose code differs from all that ran before. */
  next(name: string): string {
    appendFileSync(join(this.#root, name, 'plugin.js'), `\n// revision ${++this.#revision}\n`);
    return join(this.#root, name);
  }
}
