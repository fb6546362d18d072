import type { ExecutionContext } from 'ava';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import type { WormStep } from '../../plugins/worm-search/api.ts';

const MESH = new URL('./fake-mesh', import.meta.url);

/** What a node runs. */
export const HONEST = { plugins: [MESH], builtin: ['worm-search'] };
export const WITH_CONTENT = { plugins: [MESH], builtin: ['worm-search', 'content'] };
export const WITH_BLOBS = { plugins: [MESH, new URL('./shelf', import.meta.url)], builtin: ['worm-search'] };
export const LIAR = { plugins: [MESH, new URL('./liar', import.meta.url)] };
export const FORGER = { plugins: [...LIAR.plugins, new URL('./forger', import.meta.url)] };

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

/** Nodes with real worm search, 20 ms apart; mesh is played by the test. */
export class WormNet {
  readonly net: TestNetwork;

  constructor(t: ExecutionContext) {
    this.net = new TestNetwork({ t, link: { latencyMs: 20 } });
  }

  async nodes<Names extends string[]>(
    setup: typeof HONEST | typeof LIAR,
    ...names: Names
  ): Promise<{ [K in keyof Names]: TestNode }> {
    const nodes: TestNode[] = [];
    for (const name of names) nodes.push(await this.net.add({ name, ...setup }));
    return nodes as { [K in keyof Names]: TestNode };
  }

  /** Makes them mesh peers. */
  async link(a: TestNode, ...others: TestNode[]): Promise<void> {
    for (const b of others) {
      await this.net.connect(a, b);
      for (const { id } of a.connections(b)) a.kernel.network.setKind(id, 'mesh');
      for (const { id } of b.connections(a)) b.kernel.network.setKind(id, 'mesh');
    }
  }

  async search(node: TestNode, id: string, kind = 'node'): Promise<Search> {
    const result = await node.run<Search>('search', { id, kind, explain: true });
    await this.net.advance(1_000);
    return result;
  }

  know(node: TestNode, facts: Record<string, unknown>): Promise<unknown> {
    return node.run('fake.know', facts);
  }

  say(liar: TestNode, answer: unknown, afterMs = 0): Promise<unknown> {
    return liar.run('liar.say', { answer, afterMs });
  }

  /** `from` has `to` in its N2 and knows where it is, so it refers to it. */
  refer(from: TestNode, to: TestNode): Promise<unknown> {
    return this.know(from, { n2: [to.id], addresses: { [to.id]: [to.address] } });
  }
}

export function stepOf(search: Search, step: WormStep['step']): Search['steps'][number] | undefined {
  return search.steps.find((one) => one.step === step);
}
