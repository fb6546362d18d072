import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { FakeNet } from '../mesh/fake-net.ts';
import type { FakeNode } from '../mesh/fake-net.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const QUIET_PLUGINS = [folder('./quiet-mesh'), folder('../../plugins/social')];

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Nodes with real social routing over a mesh without loops, on addresses that count as public. */
export class QuietNet {
  readonly net: FakeNet;
  readonly #t: ExecutionContext;

  constructor(t: ExecutionContext) {
    this.#t = t;
    this.net = new FakeNet(t);
  }

  async node(name: string, more: readonly string[] = []): Promise<FakeNode> {
    const dataDir = temporaryDirectory(this.#t);
    writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ node: { treatAsPublic: ['192.0.2.0/24'] } }));
    return this.net.node(name, { dataDir, plugins: [...QUIET_PLUGINS, ...more] });
  }

  /** The installation of a stopped node, started again, at another address if one is given. */
  restart(node: FakeNode, host = node.host, more: readonly string[] = []): Promise<FakeNode> {
    return this.net.node(node.name, { dataDir: node.dataDir, host, plugins: [...QUIET_PLUGINS, ...more] });
  }

  async follow(follower: FakeNode, followee: FakeNode): Promise<void> {
    await follower.run('follow.add', { target: followee.connectString });
    await this.net.clock.advance(10);
  }

  async nodes(...names: string[]): Promise<FakeNode[]> {
    const nodes: FakeNode[] = [];
    for (const name of names) nodes.push(await this.node(name));
    return nodes;
  }

  advance(ms: number): Promise<void> {
    return this.net.clock.advance(ms);
  }
}

export const know = (node: FakeNode, facts: Record<string, unknown>): Promise<unknown> => node.run('fake.know', facts);

/** The preferred peers a node tells of; takes effect at its next minute. */
export const prefer = (node: FakeNode, ...peers: FakeNode[]): Promise<unknown> =>
  know(node, { nplus10: [node.id, ...peers.map(({ id }) => id)] });
