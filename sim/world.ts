import { seededRandom, VirtualClock } from '../kernel/clock/index.ts';
import { verifyInline } from '../kernel/identity/index.ts';
import type { Random } from '../kernel/sdk/clock.ts';
import type { NodeId } from '../kernel/sdk/identifiers.ts';
import type { Log } from '../kernel/sdk/log.ts';
import { Machine } from '../kernel/testing/machine.ts';
import { builtinPlugins, readPlugin } from '../kernel/testing/plugin-set.ts';
import { removeDirectory, scratchDirectory } from '../kernel/testing/scratch.ts';
import { memoryNetwork, type MemoryNetwork } from '../kernel/transport/memory/network.ts';
import { postStored } from '../plugins/content/api.ts';
import { Posts } from './posts.ts';
import { mistakeIn } from './scenario.ts';
import type { Scenario, Settings, Who } from './scenario.ts';
import type { WireLog } from './wire-log.ts';

/** Stopping lets running calls end; a node that takes longer has a fault. */
const STOP_LIMIT_MS = 120_000;

/** Where the machines of a scenario's `oneHost` are, each at a port of its own. */
const SHARED_HOST = '151.0.0.1';
const SHARED_PORTS = 20_000;

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
  /** How often each machine dialled an address at which no machine ever is, by both. */
  readonly strangerDials = new Map<string, number>();
  readonly #scenario: Scenario;
  readonly #wire: WireLog;
  readonly #root: string;
  readonly #byId: ReadonlyMap<NodeId, Machine>;

  constructor(scenario: Scenario, wire: WireLog) {
    const seed = String(scenario.seed);
    this.#scenario = scenario;
    this.#wire = wire;
    this.#root = scratchDirectory('itsgoin-sim-');
    verifyInline();
    this.random = seededRandom(`${seed}/world`);
    this.network = memoryNetwork({
      clock: this.clock,
      random: seededRandom(`${seed}/network`),
      log: SILENT,
      counters: () => NOT_COUNTED,
    });
    this.network.setDefaultLink(scenario.link ?? {});
    const plugins = builtinPlugins();
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
        config: settingsOf(scenario, number, anchors),
        ...(sharesHost(scenario, number) && { host: SHARED_HOST, port: SHARED_PORTS + number }),
      });
      if (number < (scenario.anchors ?? 0)) anchors.push(machine.connectString);
      machines.push(machine);
    }
    this.machines = machines;
    this.#byId = new Map(machines.map((machine) => [machine.nodeId, machine]));
    this.posts = new Posts(this.clock);
    this.#watchStrangers();
  }

  /** Loads the code once, so that no start waits for the disk while others run. */
  async prepare(): Promise<void> {
    for (const path of builtinPlugins()) await readPlugin(path);
  }

  get elapsedMs(): number {
    return this.clock.monotonic();
  }

  machineOf(nodeId: NodeId): Machine | undefined {
    return this.#byId.get(nodeId);
  }

  /** @throws sim/bad-scenario */
  machine(number: number): Machine {
    const machine = this.machines[number];
    if (machine === undefined) throw this.#mistake(`there is no machine ${number} among ${this.machines.length}`);
    return machine;
  }

  up(): Machine[] {
    return this.machines.filter(({ node }) => node !== undefined);
  }

  /** @throws sim/bad-scenario for a name the scenario does not define */
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
    throw this.#mistake(`it has no group "${String(who)}"`);
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

  #mistake(problem: string): Error {
    return mistakeIn(this.#scenario.name, problem);
  }

  #watchStrangers(): void {
    const hosts = new Set(this.machines.map(({ host }) => host));
    const { route } = this.network;
    this.network.route = (from, to) => {
      if (!hosts.has(to.host)) {
        const dial = `${from.host} ${to.host}:${to.port}`;
        this.strangerDials.set(dial, (this.strangerDials.get(dial) ?? 0) + 1);
      }
      return route(from, to);
    };
  }

  async close(): Promise<void> {
    await this.stop(this.machines);
    removeDirectory(this.#root);
  }
}

/** Whether the machine is one of those behind one address. */
function sharesHost({ oneHost, groups = {} }: Scenario, number: number): boolean {
  const group = oneHost === undefined ? [] : (groups[oneHost] ?? []);
  return [group].flat().some(({ first, last }) => number >= first && number <= last);
}

/** An anchor declares itself and knows those before it; everybody else starts with `bootstrap` of them. */
function settingsOf(scenario: Scenario, number: number, known: readonly string[]): Settings {
  const { anchors = 0, bootstrap = anchors, config = {}, groups = {}, groupConfig = {} } = scenario;
  const own = { bootstrap: known.slice(0, bootstrap), ...(number < anchors && { declare: true }) };
  const settings: Settings = { ...config, ...(anchors > 0 && { anchors: { ...config.anchors, ...own } }) };
  for (const [name, given] of Object.entries(groupConfig)) {
    const isIn = [groups[name] ?? []].flat().some(({ first, last }) => first <= number && number <= last);
    if (!isIn) continue;
    for (const [plugin, values] of Object.entries(given)) settings[plugin] = { ...settings[plugin], ...values };
  }
  return settings;
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
const NOT_COUNTED = { add() {}, read: () => ({}) };
