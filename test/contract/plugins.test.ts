import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { pendingVerifications } from '../../kernel/identity/index.ts';
import type { AnyPlugin } from '../../kernel/index.ts';
import { findPlugins, loadPlugin } from '../../kernel/lifecycle/loader.ts';
import { needsOf } from '../../kernel/lifecycle/manifest.ts';
import { memoryNetwork } from '../../kernel/transport/index.ts';
import { type TestNode, testNode } from '../rig/nodes.ts';
import { recordingLog } from '../rig/recording-log.ts';

/** What every plugin folder must do, whatever it is for. New folders are found by themselves. */

const ROUNDS = 20;
const HEAP_GROWTH_MAX_BYTES = 2 * 1024 * 1024;
const folders = findPlugins(fileURLToPath(new URL('../../plugins', import.meta.url)));

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function withNeeds(folder: string): Promise<string[]> {
  const all = new Map<string, AnyPlugin>();
  for (const path of folders) all.set(path, (await loadPlugin(path, new VirtualClock())).plugin);
  const chosen = new Set([folder]);
  for (const path of chosen) {
    for (const { token, optional } of needsOf(all.get(path) as AnyPlugin)) {
      if (optional) continue;
      for (const [other, { provides = [] }] of all) {
        if (provides.some(({ name }: { name: string }) => name === token.name)) chosen.add(other);
      }
    }
  }
  return [...chosen];
}

async function nodeWith(t: ExecutionContext, plugins: readonly string[]): Promise<TestNode & { clock: VirtualClock }> {
  const clock = new VirtualClock({ busy: () => pendingVerifications() > 0 });
  const random = seededRandom('contract');
  const counters = { add() {}, read: () => ({}) };
  const network = memoryNetwork({ clock, random, log: recordingLog(), counters: () => counters });
  const node = await testNode(t, {
    plugins,
    clock,
    random,
    transport: network.transport('10.0.0.1'),
    bind: '10.0.0.1:4433',
  });
  return { ...node, clock };
}

for (const folder of folders) {
  const name = basename(folder);

  test(`${name}: starts with no more than the plugins it needs`, async (t) => {
    const node = await nodeWith(t, await withNeeds(folder));
    t.like(
      node.host.list().find((plugin) => plugin.name === name),
      { name, state: 'active', reason: undefined },
    );
  });

  test(`${name}: refuses config keys it does not know, by name, and goes on with the old config`, async (t) => {
    const node = await nodeWith(t, await withNeeds(folder));
    await t.throwsAsync(node.host.configure(name, { no_such_key: 1 }), { message: /no_such_key/ });
    t.like(node.host.inspect(name), { state: 'active', generation: 1 });
  });

  test(`${name}: ${ROUNDS} reloads and ${ROUNDS} times off and on leave no timer, listener, cleanup or heap`, async (t) => {
    const node = await nodeWith(t, await withNeeds(folder));
    const round = async (): Promise<void> => {
      t.is((await node.host.reload(name)).outcome, 'committed');
      t.is((await node.host.disable(name)).outcome, 'disabled');
      t.is((await node.host.enable(name)).outcome, 'committed');
      // Probation and whatever setup scheduled for soon ends.
      await node.clock.advance(31_000);
    };
    const holdings = (): Record<string, unknown> => {
      const { handlers, subscriptions, leases, cleanups, loops, running, held } = node.host.inspect(name);
      return {
        handlers,
        subscriptions,
        leases,
        cleanups,
        loops: loops.length,
        running,
        held,
        timers: node.clock.pending,
      };
    };
    for (let warmUp = 0; warmUp < 3; warmUp++) await round();
    collectGarbage();
    const before = { holdings: holdings(), heap: process.memoryUsage().heapUsed };
    for (let count = 0; count < ROUNDS; count++) await round();
    collectGarbage();
    t.deepEqual(holdings(), before.holdings);
    const grown = process.memoryUsage().heapUsed - before.heap;
    t.true(grown < HEAP_GROWTH_MAX_BYTES, `the heap grew by ${grown} bytes`);
  });

  test(`${name}: says what it is for in a README of one screen`, (t) => {
    const text = readFileSync(`plugins/${name}/README.md`, 'utf8');
    t.true(text.split('\n').length <= 60, 'one screen');
  });
}
