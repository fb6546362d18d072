import { join } from 'node:path';
import { seededRandom } from '../clock/random.ts';
import type { VirtualClock } from '../clock/virtual-clock.ts';
import { createCounters } from '../observe/counters.ts';
import type { Log } from '../sdk/log.ts';
import { type LinkOptions, memoryNetwork, type MemoryNetwork } from '../transport/memory/network.ts';
import { type Dial, DialLog } from './dial-log.ts';
import { testingErrors } from './errors.ts';
import { HostilePeer } from './hostile-peer.ts';
import { LogLines } from './log-lines.ts';
import { Machine } from './machine.ts';
import { placeOf, withNeeds } from './plugin-set.ts';
import { removeDirectory, scratchDirectory } from './scratch.ts';
import type { NodeSetup, OneNode, TestNetworkOptions } from './setup.ts';
import { TestNode } from './test-node.ts';
import { VirtualTime } from './virtual-time.ts';

/** What `until` looks at its condition after, unless told otherwise. */
const LOOK_EVERY_MS = 100;
const UNTIL_LIMIT_MS = 60_000;
/** What peers tell each other when they meet takes a few round trips. */
const GREETING_ROUND_TRIPS = 5;
/** In which a node does what it does first. */
const FIRST_MS = 10;
/** A link that takes longer than this to bring a word over is a fault of its own. */
const FAREWELL_MS = 1_000;

/** A node, or its number. */
export type NodeRef = TestNode | number;

/**
 * Real nodes in this process: the kernel, its lifecycle and the plugins are those of life; the network,
 * the clock and the dice are the test's.
 */
export class TestNetwork {
  readonly nodes: TestNode[] = [];
  /** Every fault there is: routes, partitions, links. */
  readonly memory: MemoryNetwork;
  readonly time = new VirtualTime();
  readonly #dials = new DialLog(this.time.clock);
  readonly #setup: NodeSetup;
  readonly #hostOf: TestNetworkOptions['hostOf'];
  readonly #seed: string;
  readonly #root = scratchDirectory('itsgoin-test-');
  readonly #hostiles: HostilePeer[] = [];
  #machines = 0;

  /** Use {@link testNetwork}. */
  constructor({ seed = 1, link = {}, hostOf, t, ...setup }: TestNetworkOptions) {
    this.#setup = setup;
    this.#hostOf = hostOf;
    this.#seed = String(seed);
    const counters = createCounters();
    this.memory = memoryNetwork({
      clock: this.time.clock,
      random: seededRandom(`${seed}/network`),
      log: SILENT,
      counters: (host) => counters.of(host),
    });
    this.memory.setDefaultLink(link);
    (t?.after ?? t?.teardown)?.call(t, () => this.stop());
  }

  /** Who dialled which hosts, and when by the nodes' clock; the first 100,000. */
  get dials(): readonly Dial[] {
    return this.#dials.noted;
  }

  /** The clock of all nodes; `now()` is what they sign and show. */
  get clock(): VirtualClock {
    return this.time.clock;
  }

  /** Milliseconds of virtual time since the network was started. */
  get nowMs(): number {
    return this.time.nowMs;
  }

  /** One more node; what is not given here is as for the others. @throws testing/not-active, lifecycle/load-failed */
  async add(setup: OneNode = {}): Promise<TestNode> {
    const {
      name,
      dataDir,
      plugins = [],
      builtin,
      config = {},
      files,
      mayFail = false,
      host = this.#hostOf?.(this.#machines),
    }: OneNode = {
      ...this.#setup,
      ...setup,
    };
    if (this.nodes.some((node) => node.name === name)) throw testingErrors.make('name-taken', { name: name ?? '' });
    const written = join(this.#root, 'plugins');
    const paths = plugins.map((plugin) => placeOf(plugin, written));
    const chosen = await withNeeds(paths, builtin);
    const log = new LogLines();
    const machine = new Machine({
      number: this.#machines++,
      seed: this.#seed,
      root: this.#root,
      clock: this.time.clock,
      plugins: chosen.map(({ path }) => path),
      transport: (at) => this.#dials.noting(this.memory.transport(at)),
      config,
      mayFail,
      logLevel: 'warn',
      logTo: { stream: log },
      ...(name !== undefined && { name }),
      ...(dataDir !== undefined && { dataDir }),
      ...(host !== undefined && { host }),
      ...(files && { files }),
    });
    const node = new TestNode(machine, this.time, log);
    this.nodes.push(node);
    await node.start();
    await this.advance(FIRST_MS);
    return node;
  }

  /** Nodes of these names, set up like the others: `const [ada, bob] = await net.start('ada', 'bob')`. */
  async start<const Names extends readonly string[]>(...names: Names): Promise<{ [K in keyof Names]: TestNode }>;
  async start(...names: readonly string[]): Promise<TestNode[]> {
    const started: TestNode[] = [];
    for (const name of names) started.push(await this.add({ name }));
    return started;
  }

  /** @throws testing/no-such-node */
  node(ref: NodeRef): TestNode {
    const node = typeof ref === 'number' ? this.nodes[ref] : ref;
    if (node === undefined) throw testingErrors.make('no-such-node', { number: String(ref), count: this.nodes.length });
    return node;
  }

  /** Connects two nodes, and lets what their plugins say at a meeting arrive. @throws transport/* */
  async connect(a: NodeRef, b: NodeRef): Promise<void> {
    const [from, to] = [this.node(a), this.node(b)];
    const dialled = from.kernel.network.dial({ nodeId: to.id, addresses: [to.address] });
    await from.wait(dialled, `dialling ${to}`);
    const { latencyMs, jitterMs } = this.memory.link(from.machine.host, to.machine.host);
    await this.advance(GREETING_ROUND_TRIPS * 2 * (latencyMs + jitterMs) + 10);
  }

  /** Lets `ms` of virtual time go by on all nodes. */
  advance(ms: number): Promise<void> {
    return this.time.advance(ms);
  }

  /** Moves time until a promise settles, at most a minute. @throws testing/not-in-time, testing/never */
  wait<T>(promise: Promise<T>, what = 'it'): Promise<T> {
    return this.time.until(promise, UNTIL_LIMIT_MS, what);
  }

  /**
   * Moves time until the condition holds, and returns what it returned. It may run commands of nodes,
   * which move time themselves.
   *
   * @throws testing/not-in-time, with `what`
   */
  async until<T>(
    condition: () => T | Promise<T>,
    { withinMs = UNTIL_LIMIT_MS, everyMs = LOOK_EVERY_MS, what = condition.toString() } = {},
  ): Promise<T> {
    const endMs = this.nowMs + withinMs;
    for (;;) {
      const result = await condition();
      if (result) return result;
      if (this.nowMs >= endMs)
        throw testingErrors.make('not-in-time', { what, withinMs, atMs: Math.round(this.nowMs) });
      await this.advance(Math.min(everyMs, endMs - this.nowMs));
    }
  }

  /** Neither hears the other any more; connections between them end after their idle limit. */
  cut(a: NodeRef, b: NodeRef): void {
    this.memory.cut(this.node(a).machine.host, this.node(b).machine.host);
  }

  /** Nodes hear only those of their own group; nodes that are not named are a group too. */
  partition(...groups: readonly NodeRef[][]): void {
    this.memory.partition(groups.map((group) => group.map((ref) => this.node(ref).machine.host)));
  }

  /** Undoes every `cut` and `partition`. */
  heal(): void {
    this.memory.heal();
  }

  /** Changes the way between two nodes, in both directions, or between all that have none of their own. */
  link(options: Partial<LinkOptions>, between?: readonly [NodeRef, NodeRef]): void {
    if (between === undefined) this.memory.setDefaultLink(options);
    else this.memory.setLink(this.node(between[0]).machine.host, this.node(between[1]).machine.host, options);
  }

  /** Cuts a node's power: the others hear nothing of it and notice by their own means. */
  async kill(ref: NodeRef): Promise<void> {
    const node = this.node(ref);
    this.memory.vanish(node.machine.host);
    await node.stop();
  }

  /** Starts a node again, after a `kill` or a stop or neither: same disk, same keys; at another address if one is given. */
  async restart(ref: NodeRef, { host }: { readonly host?: string } = {}): Promise<TestNode> {
    const node = this.node(ref);
    if (node.isOn) {
      await node.stop();
      await this.advance(FAREWELL_MS);
    }
    if (host !== undefined) node.machine.host = host;
    await node.start();
    await this.advance(FIRST_MS);
    return node;
  }

  /** A peer with keys and an address of its own and no node behind them: it writes what it likes. */
  async hostilePeer(): Promise<HostilePeer> {
    const machine = new Machine({
      number: this.#machines++,
      seed: this.#seed,
      root: this.#root,
      clock: this.time.clock,
      plugins: [],
      transport: (at) => this.memory.transport(at),
      config: {},
    });
    const peer = await HostilePeer.open(machine, this.memory.transport(machine.host), this.time);
    this.#hostiles.push(peer);
    return peer;
  }

  /** Stops everything and removes its files. Safe to call again. */
  async stop(): Promise<void> {
    for (const peer of this.#hostiles.splice(0)) await peer.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
    removeDirectory(this.#root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Starts nodes that can reach each other and are not connected yet.
 *
 * @throws testing/not-active when a plugin does not start, lifecycle/load-failed
 */
export async function testNetwork(options: TestNetworkOptions = {}): Promise<TestNetwork> {
  const network = new TestNetwork(options);
  const { nodes = 2 } = options;
  try {
    for (let number = 0; number < nodes; number++) await network.add();
    return network;
  } catch (error) {
    await network.stop();
    throw error;
  }
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
