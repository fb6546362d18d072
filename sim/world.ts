import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom, systemClock, VirtualClock } from '../kernel/clock/index.ts';
import { verifyInline } from '../kernel/identity/index.ts';
import { findPlugins, loadPlugin } from '../kernel/lifecycle/loader.ts';
import type { Random } from '../kernel/sdk/clock.ts';
import type { NodeId } from '../kernel/sdk/identifiers.ts';
import type { Log } from '../kernel/sdk/log.ts';
import { memoryNetwork, type MemoryNetwork } from '../kernel/transport/memory/network.ts';
import { postStored } from '../plugins/content/api.ts';
import { Machine } from './machine.ts';
import { Posts } from './posts.ts';
import type { Scenario, Who } from './scenario.ts';
import type { WireLog } from './wire-log.ts';

const PLUGINS = fileURLToPath(new URL('../plugins', import.meta.url));
/** Files in memory, where the system has such a place: a simulated disk should cost no real one. */
const MEMORY_DISK = '/dev/shm';
/** Stopping lets running calls end; a node that takes longer has a fault. */
const STOP_LIMIT_MS = 120_000;

/** All machines of a simulation, the network between them, and the one clock. */
export class World {
  readonly clock = new VirtualClock({ timersPerTurn: 64 });
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly machines: readonly Machine[];
  readonly posts: Posts;
  /** Pairs that want no mesh connection to each other. */
  readonly apart: (readonly [Machine, Machine])[] = [];
  /** Commands of the workload that were refused, by code. */
  readonly refused = new Map<string, number>();
  readonly #scenario: Scenario;
  readonly #wire: WireLog;
  readonly #root: string;
  readonly #byId: ReadonlyMap<NodeId, Machine>;

  constructor(scenario: Scenario, wire: WireLog) {
    const seed = String(scenario.seed);
    this.#scenario = scenario;
    this.#wire = wire;
    this.#root = mkdtempSync(join(memoryDisk(), 'itsgoin-sim-'));
    verifyInline();
    this.random = seededRandom(`${seed}/world`);
    this.network = memoryNetwork({
      clock: this.clock,
      random: seededRandom(`${seed}/network`),
      log: SILENT,
      counters: () => NOT_COUNTED,
    });
    this.network.setDefaultLink(scenario.link ?? {});
    const plugins = findPlugins(PLUGINS);
    const anchors: string[] = [];
    const machines: Machine[] = [];
    for (let number = 0; number < scenario.nodes; number++) {
      const machine = new Machine({
        number,
        seed,
        root: this.#root,
        clock: this.clock,
        plugins,
        transport: (host) => this.network.transport(host),
        config: withAnchors(scenario, number, anchors),
      });
      if (number < (scenario.anchors ?? 0)) anchors.push(machine.connectString);
      machines.push(machine);
    }
    this.machines = machines;
    this.#byId = new Map(machines.map((machine) => [machine.nodeId, machine]));
    this.posts = new Posts(this.clock);
  }

  /** Loads the code once, so that no start waits for the disk while others run. */
  async prepare(): Promise<void> {
    for (const path of findPlugins(PLUGINS)) await loadPlugin(path, systemClock());
  }

  get elapsedMs(): number {
    return this.clock.monotonic();
  }

  machineOf(nodeId: NodeId): Machine | undefined {
    return this.#byId.get(nodeId);
  }

  /** @throws RangeError */
  machine(number: number): Machine {
    const machine = this.machines[number];
    if (machine === undefined) throw new RangeError(`there is no machine ${number}`);
    return machine;
  }

  up(): Machine[] {
    return this.machines.filter(({ node }) => node !== undefined);
  }

  /** @throws RangeError for a name the scenario does not define */
  select(who: Who): Machine[] {
    const { anchors = 0, groups = {} } = this.#scenario;
    const range = typeof who === 'string' ? groups[who] : who;
    if (range !== undefined) {
      const ranges = Array.isArray(range) ? range : [range];
      return ranges.flatMap(({ first, last }) => this.machines.slice(first, last + 1));
    }
    if (who === 'all') return [...this.machines];
    if (who === 'anchors') return this.machines.slice(0, anchors);
    if (who === 'others') return this.machines.slice(anchors);
    throw new RangeError(`the scenario has no group "${String(who)}"`);
  }

  /** Time stands still meanwhile. */
  async start(machine: Machine): Promise<void> {
    if (machine.node !== undefined) return;
    const node = await machine.start();
    this.#wire.watch(machine, node);
    node.bus.subscribe('simulator', postStored, ({ posts }) => this.posts.stored(machine.number, posts));
  }

  async stop(machines: readonly Machine[]): Promise<void> {
    const stopping = machines.flatMap((machine) => {
      const { node } = machine;
      machine.node = undefined;
      return node === undefined ? [] : [node.stop()];
    });
    await this.clock.until(Promise.all(stopping), STOP_LIMIT_MS);
  }

  /** Cuts the power: peers hear nothing of it, they notice by their own means. */
  async kill(machines: readonly Machine[]): Promise<void> {
    for (const { host } of machines) this.network.vanish(host);
    await this.stop(machines);
  }

  /** Runs a command in the background. */
  command(
    machine: Machine,
    name: string,
    params: Record<string, unknown>,
    done: (result: unknown) => void = () => {},
  ): void {
    machine.run(name, params).then(done, (error: { code?: string }) => {
      this.countRefusal(`${name} ${error.code ?? String(error)}`);
    });
  }

  keepApart(one: Machine, other: Machine): void {
    this.apart.push([one, other]);
    this.command(one, 'mesh.blacklist-add', { node_id: other.nodeId });
    this.command(other, 'mesh.blacklist-add', { node_id: one.nodeId });
  }

  countRefusal(what: string): void {
    this.refused.set(what, (this.refused.get(what) ?? 0) + 1);
  }

  /** Different members of `from`, without `not`. */
  sample(from: readonly Machine[], count: number, not?: Machine): Machine[] {
    const pool = from.filter((machine) => machine !== not);
    const chosen = Math.min(count, pool.length);
    for (let at = 0; at < chosen; at++) {
      const other = at + this.random.integer(pool.length - at);
      [pool[at], pool[other]] = [pool[other] as Machine, pool[at] as Machine];
    }
    return pool.slice(0, chosen);
  }

  async close(): Promise<void> {
    await this.stop(this.machines);
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** An anchor declares itself and knows those before it; everybody else starts with `bootstrap` of them. */
function withAnchors(
  { anchors = 0, bootstrap = anchors, config = {} }: Scenario,
  number: number,
  known: readonly string[],
): Record<string, Record<string, unknown>> {
  if (anchors === 0) return config;
  const own = { bootstrap: known.slice(0, bootstrap), ...(number < anchors && { declare: true }) };
  return { ...config, anchors: { ...config.anchors, ...own } };
}

function memoryDisk(): string {
  try {
    const dir = mkdtempSync(join(MEMORY_DISK, 'itsgoin-probe-'));
    rmSync(dir, { recursive: true });
    return MEMORY_DISK;
  } catch {
    return tmpdir();
  }
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
const NOT_COUNTED = { add() {}, read: () => ({}) };
