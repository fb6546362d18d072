import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { WormStep } from '../../plugins/worm-search/api.ts';
import { FakeNet } from '../mesh/fake-net.ts';
import type { FakeNode } from '../mesh/fake-net.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MESH = folder('./fake-mesh');
export const HONEST = [MESH, folder('../../plugins/worm-search')];
export const WITH_CONTENT = [...HONEST, folder('../../plugins/content')];
export const WITH_BLOBS = [...HONEST, folder('./shelf')];
export const LIAR = [MESH, folder('./liar')];

export interface Search {
  readonly found: boolean;
  readonly local: boolean;
  readonly holder: string | null;
  readonly addresses: string[];
  readonly via: string[];
  readonly took_ms: number;
  readonly cost: { relay_hops: number; messages: number; dials: number };
  readonly steps: (Omit<WormStep, 'atMs' | 'tookMs'> & { at_ms: number; took_ms: number })[];
}

/** Nodes with real worm search over the memory network, 20 ms apart; mesh is played by the test. */
export class WormNet {
  readonly net: FakeNet;

  constructor(t: ExecutionContext) {
    this.net = new FakeNet(t);
    this.net.network.setDefaultLink({ latencyMs: 20 });
  }

  async nodes<Names extends string[]>(
    plugins: readonly string[],
    ...names: Names
  ): Promise<{ [K in keyof Names]: FakeNode }> {
    const nodes: FakeNode[] = [];
    for (const name of names) nodes.push(await this.net.node(name, { plugins }));
    return nodes as { [K in keyof Names]: FakeNode };
  }

  /** Makes them mesh peers. */
  async link(a: FakeNode, ...others: FakeNode[]): Promise<void> {
    for (const b of others) {
      await this.net.clock.until(a.node.network.dial({ nodeId: b.id, addresses: [b.address] }));
      await this.net.clock.advance(50);
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        for (const { id } of from.node.network.connectionsOf(to.id)) from.node.network.setKind(id, 'mesh');
      }
    }
  }

  async search(node: FakeNode, id: string, kind = 'node'): Promise<Search> {
    const result = await node.run<Search>('search', { id, kind, explain: true });
    await this.net.clock.advance(1_000);
    return result;
  }

  know(node: FakeNode, facts: Record<string, unknown>): Promise<unknown> {
    return node.run('fake.know', facts);
  }

  say(liar: FakeNode, answer: unknown, afterMs = 0): Promise<unknown> {
    return liar.run('liar.say', { answer, afterMs });
  }

  /** `from` has `to` in its N2 and knows where it is, so it refers to it. */
  refer(from: FakeNode, to: FakeNode): Promise<unknown> {
    return this.know(from, { n2: [to.id], addresses: { [to.id]: [to.address] } });
  }
}

export function stepOf(search: Search, step: WormStep['step']): Search['steps'][number] | undefined {
  return search.steps.find((one) => one.step === step);
}
