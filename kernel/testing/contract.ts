import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TObject } from '../sdk/typebox.ts';
import { needsOf } from '../lifecycle/manifest.ts';
import { assertWell, inNetwork } from './contract-network.ts';
import { badBytes, swapUnderLoad } from './contract-traffic.ts';
import { builtinPlugins, pathOf, providerOf, readPlugin, withNeeds } from './plugin-set.ts';
import { misfitOf } from './samples.ts';
import type { TestNetworkOptions } from './setup.ts';
import type { TestNetwork } from './test-network.ts';
import type { TestNode } from './test-node.ts';

const ROUNDS = 20;
const WARM_UP_ROUNDS = 3;
const HEAP_GROWTH_MAX_BYTES = 2 * 1024 * 1024;
/** Longer than a plugin's probation, and than whatever setup does soon. */
const ROUND_MS = 31_000;

/** One thing every plugin has to do; `check` rejects with an AssertionError that says what it did instead. */
export interface ContractCheck {
  readonly title: string;
  check(): Promise<void>;
}

export interface ContractOptions {
  /** Bodies of requests, by message name, where one made up from the schema says too little. */
  readonly samples?: Readonly<Record<string, unknown>>;
}

/**
 * What every plugin must do, whatever it is for: a list of tests to hand to a test runner.
 *
 * ```ts
 * for (const { title, check } of pluginContract(import.meta.dirname)) test(title, check);
 * ```
 */
export function pluginContract(path: string | URL, options: ContractOptions = {}): readonly ContractCheck[] {
  const subject = pathOf(path);
  return [
    { title: 'starts with no more than the plugins it needs', check: () => startsAlone(subject) },
    { title: 'goes on while plugins it can do without come and go', check: () => withOptional(subject) },
    {
      title: 'refuses settings of the wrong name or kind, and goes on with the old ones',
      check: () => config(subject),
    },
    { title: `${ROUNDS} reloads and times off and on leave nothing behind`, check: () => rounds(subject) },
    { title: 'a swap under load loses no message', check: () => swapUnderLoad(subject, options.samples) },
    {
      title: 'survives truncated, oversized and random bytes, and blames who sent them',
      check: () => badBytes(subject, options.samples),
    },
  ];
}

const alone: TestNetworkOptions = { nodes: 1 };

function startsAlone(subject: string): Promise<void> {
  return inNetwork(subject, alone, async (net, { name }) => {
    await net.advance(ROUND_MS);
    assertWell(net.node(0), name);
  });
}

async function withOptional(subject: string): Promise<void> {
  const { plugin } = await readPlugin(subject);
  const needed = new Set((await withNeeds([subject])).map((loaded) => loaded.plugin.name));
  const shipped = await Promise.all(builtinPlugins().map(readPlugin));
  const optional = needsOf(plugin)
    .flatMap(({ token }) => providerOf(token.name, shipped)?.plugin.name ?? [])
    .filter((name) => !needed.has(name));
  await inNetwork(subject, { nodes: 1, builtin: optional }, async (net, { name }) => {
    const node = net.node(0);
    for (const provider of optional) {
      await node.disable(provider);
      await net.advance(1_000);
      assertWell(node, name, `without ${provider}`);
      await node.enable(provider);
      await node.reload(provider);
      await net.advance(1_000);
      assertWell(node, name, `with ${provider} again`);
    }
  });
}

function config(subject: string): Promise<void> {
  return inNetwork(subject, alone, async (net, plugin) => {
    const node = net.node(0);
    await assert.rejects(node.configure(plugin.name, { no_such_key: 1 }), /no_such_key/);
    const { properties = {} } = (plugin.config ?? {}) as Partial<TObject>;
    for (const [key, schema] of Object.entries(properties)) {
      const value = misfitOf(schema);
      if (value === undefined) continue;
      await assert.rejects(
        node.configure(plugin.name, { [key]: value }),
        { code: 'config/bad-value' },
        `it takes ${JSON.stringify(value)} for ${key}`,
      );
    }
    const { state, generation } = node.inspect(plugin.name);
    assert.deepEqual({ state, generation }, { state: 'active', generation: 1 });
  });
}

function rounds(subject: string): Promise<void> {
  const collectGarbage = garbageCollector();
  return inNetwork(subject, alone, async (net, { name }) => {
    const node = net.node(0);
    const round = async (): Promise<void> => {
      assert.equal((await node.reload(name)).outcome, 'committed');
      assert.equal((await node.disable(name)).outcome, 'disabled');
      assert.equal((await node.enable(name)).outcome, 'committed');
      await net.advance(ROUND_MS);
    };
    for (let count = 0; count < WARM_UP_ROUNDS; count++) await round();
    collectGarbage();
    const before = { holdings: holdings(net, node, name), heapBytes: process.memoryUsage().heapUsed };
    for (let count = 0; count < ROUNDS; count++) await round();
    collectGarbage();
    assert.deepEqual(holdings(net, node, name), before.holdings);
    const grownBytes = process.memoryUsage().heapUsed - before.heapBytes;
    assert.ok(grownBytes < HEAP_GROWTH_MAX_BYTES, `the heap grew by ${grownBytes} bytes in ${ROUNDS} rounds`);
  });
}

function holdings(net: TestNetwork, node: TestNode, name: string): Record<string, unknown> {
  const { handlers, subscriptions, cleanups, loops, running, held } = node.inspect(name);
  return { handlers, subscriptions, cleanups, loops: loops.length, running, held, timers: net.time.clock.pending };
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
