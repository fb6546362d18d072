import assert from 'node:assert/strict';
import type { LoadedPlugin } from '../lifecycle/loader.ts';
import { readPlugin } from './plugin-set.ts';
import type { TestNetworkOptions } from './setup.ts';
import { type TestNetwork, testNetwork } from './test-network.ts';
import type { TestNode } from './test-node.ts';

/** Runs `work` in a network of nodes with the plugin. */
export async function inNetwork(
  subject: string,
  options: TestNetworkOptions,
  work: (net: TestNetwork, plugin: LoadedPlugin['plugin']) => Promise<void>,
): Promise<void> {
  const { plugin } = await readPlugin(subject);
  const net = await testNetwork({ plugins: [subject], seed: `contract/${plugin.name}`, ...options });
  try {
    await work(net, plugin);
  } finally {
    await net.stop();
  }
}

/** Active, and none of its loops, listeners and activations has failed. */
export function assertWell(node: TestNode, name: string, when = ''): void {
  const { state, reason, counters } = node.inspect(name);
  const failures = counters.failures ?? 0;
  const said = failures === 0 ? [] : node.log().filter(({ area }) => area === name);
  assert.deepEqual(
    { state, reason, failures, said },
    { state: 'active', reason: undefined, failures: 0, said: [] },
    when,
  );
}
