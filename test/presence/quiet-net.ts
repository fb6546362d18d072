import type { ExecutionContext } from 'ava';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';

export const QUIET_MESH = new URL('./quiet-mesh', import.meta.url);

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A network of nodes with real social routing over a mesh without loops. */
export function quietNet(t: ExecutionContext, ...more: readonly string[]): TestNetwork {
  return new TestNetwork({ t, plugins: [QUIET_MESH], builtin: ['social', 'presence', ...more] });
}

export async function follow(net: TestNetwork, follower: TestNode, followee: TestNode): Promise<void> {
  await follower.run('follow.add', { target: followee.connectString });
  await net.advance(10);
}

export const know = (node: TestNode, facts: Record<string, unknown>): Promise<unknown> => node.run('fake.know', facts);

/** The preferred peers a node tells of; takes effect at its next minute. */
export const prefer = (node: TestNode, ...peers: TestNode[]): Promise<unknown> =>
  know(node, { nplus10: [node.id, ...peers.map(({ id }) => id)] });
