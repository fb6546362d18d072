import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { FakeNet, type FakeNode } from '../mesh/fake-net.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Folders of mesh and anchors. */
export const PLUGINS = ['peers', 'routing', 'lookup', 'mesh', 'anchors'].map((name) =>
  fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
);

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A home router with a port mapping, for single tests. */
export const ROUTER = folder('./router');
/** Mesh that dials nobody by itself, so that a test says who is connected. */
export const NO_GROWTH = { mesh: { growth: false } } as const;

interface AnchorNodeOptions {
  /** Connect strings for `anchors.json`; no file without them. */
  readonly anchors?: readonly string[];
  readonly host?: string;
  readonly dataDir?: string;
  /** Config of the plugins by name. */
  readonly config?: Record<string, Record<string, unknown>>;
  readonly plugins?: readonly string[];
}

/** Nodes with mesh and anchors at public addresses of the memory network. */
export class AnchorNet extends FakeNet {
  #publicHosts = 0;

  async anchorNode(name: string, options: AnchorNodeOptions = {}): Promise<FakeNode> {
    const { anchors, config = {}, host = `5.0.0.${++this.#publicHosts}` } = options;
    const dataDir = options.dataDir ?? temporaryDirectory(this.t);
    if (anchors !== undefined) writeFileSync(join(dataDir, 'anchors.json'), JSON.stringify(anchors));
    const plugins = Object.fromEntries(Object.entries(config).map(([plugin, values]) => [plugin, { config: values }]));
    writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ plugins }));
    return this.node(name, { dataDir, host, plugins: options.plugins ?? PLUGINS });
  }

  /** The name of whom a node dialled, in order. */
  dialledBy(node: FakeNode): string[] {
    return this.dials.filter(({ from }) => from === node.id).map(({ to }) => to);
  }
}

/** A virtual network for one test. */
export function anchorNet(t: ExecutionContext): AnchorNet {
  return new AnchorNet(t);
}

export interface Explained {
  is_anchor: boolean;
  checklist: Record<string, boolean>;
  failures_in_a_row: number;
  probes: { outcome: string; reason: string; witness: string; via: string; cause: string; at_ms: number }[];
  rejoins: { cause: string; at_ms: number; steps: { what: string; node_id: string; result: string }[] }[];
  sticky: string[];
}

export function explain(node: FakeNode): Promise<Explained> {
  return node.run<Explained>('anchor.explain');
}

/** Mesh slots that the node has given so far, also to connections that are gone. */
export function slotsGiven(node: FakeNode): number {
  const counters = node.counters();
  return (counters['slots.granted'] ?? 0) + (counters['slots.agreed'] ?? 0);
}

export interface ListedAnchor {
  node_id: string;
  addresses: string[];
  source: string;
  last_seen_ms?: number;
}

export async function listAnchors(node: FakeNode): Promise<ListedAnchor[]> {
  return (await node.run<{ anchors: ListedAnchor[] }>('anchor.list')).anchors;
}
