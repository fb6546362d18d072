import { join } from 'node:path';
import type { VirtualClock } from '../clock/virtual-clock.ts';
import type { ConfigChange, PluginInspection, SwapOutcome } from '../lifecycle/plugin-host.ts';
import type { Node } from '../node.ts';
import type { DeviceId, NodeId } from '../sdk/identifiers.ts';
import type { AnyMessage, BodyOf, ResponseOf } from '../sdk/message.ts';
import type { ConnectionInfo } from '../sdk/network.ts';
import { codeOf, ItsgoinError } from '../sdk/errors.ts';
import type { Token } from '../sdk/token.ts';
import type { Topic } from '../sdk/topic.ts';
import { testingErrors } from './errors.ts';
import { EventLog } from './event-log.ts';
import type { LogLine, LogLines } from './log-lines.ts';
import type { Machine } from './machine.ts';
import { placeOf, type PluginSource, readPlugin } from './plugin-set.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Virtual time any single call may take. */
const CALL_LIMIT_MS = 60_000;

/**
 * One node of a test network. Every call moves virtual time until it is done, at most a minute, and
 * what it rejects with has the code it had in the node and says which node and when.
 */
export class TestNode {
  readonly number: number;
  readonly machine: Machine;
  readonly #time: VirtualTime;
  readonly #events = new EventLog();
  readonly #log: LogLines;

  constructor(machine: Machine, time: VirtualTime, log: LogLines) {
    this.number = machine.number;
    this.machine = machine;
    this.#time = time;
    this.#log = log;
  }

  get name(): string {
    return this.machine.name;
  }

  get id(): NodeId {
    return this.machine.nodeId;
  }

  get deviceId(): DeviceId {
    return this.machine.identity.deviceId;
  }

  /** Its IP address. */
  get host(): string {
    return this.machine.host;
  }

  get dataDir(): string {
    return this.machine.dataDir;
  }

  /** `host:port` */
  get address(): string {
    return this.machine.address;
  }

  /** `<node id>@<host>:<port>`, as commands take it. */
  get connectString(): string {
    return this.machine.connectString;
  }

  /** The kernel's own view: bus, network, trace, plugin host. @throws testing/node-off */
  get kernel(): Node {
    const { node } = this.machine;
    if (node === undefined) throw testingErrors.make('node-off', { node: this.toString() });
    return node;
  }

  /** The clock of all nodes. */
  get clock(): VirtualClock {
    return this.#time.clock;
  }

  get isOn(): boolean {
    return this.machine.node !== undefined;
  }

  /** Runs a plugin's command, as the command line does. @throws what the command throws */
  run<R = Record<string, unknown>>(command: string, params: Readonly<Record<string, unknown>> = {}): Promise<R> {
    return this.wait(this.machine.run<R>(command, params), command);
  }

  /** Calls the service behind a token, as a plugin that injects it would. @throws lifecycle/service-off, what the call throws */
  service<T, R>(token: Token<T>, call: (service: T) => R | Promise<R>): Promise<Awaited<R>> {
    return this.wait(this.kernel.host.service(token).use(call), `a call of ${token.name}`);
  }

  /** Sends a message over an open connection; resolves with the answer, if it has one. @throws wire/* */
  send<M extends AnyMessage>(to: TestNode, message: M, body: BodyOf<M>): Promise<ResponseOf<M>> {
    return this.wait(this.kernel.network.sendTo(to.id, message, body), message.name);
  }

  /** What was published under a topic since the node was started, oldest first; the last 10,000 of it. */
  events<T>(topic: Topic<T>): readonly T[] {
    return this.#events.of(topic);
  }

  /** What it warned of and how it failed, oldest first; the last 1,000 entries. */
  log(): readonly LogLine[] {
    return this.#log.read();
  }

  /** Live connections, or those to one node. */
  connections(to?: TestNode): readonly ConnectionInfo[] {
    return to === undefined ? this.kernel.network.connections() : this.kernel.network.connectionsOf(to.id);
  }

  /** What a plugin holds now: state, handlers, loops, subscriptions, counters, diagnostics. */
  inspect(plugin: string): PluginInspection {
    return this.kernel.host.inspect(plugin);
  }

  counters(plugin: string): Readonly<Record<string, number>> {
    return this.inspect(plugin).counters;
  }

  /** Swaps a plugin's code, as it is on disk now, in for itself. */
  async reload(plugin: string): Promise<SwapOutcome> {
    const { source } = this.inspect(plugin);
    if (source !== 'builtin') await this.#read(source);
    return this.wait(this.kernel.host.reload(plugin), `a reload of ${plugin}`);
  }

  /** Swaps other code in under the same name. */
  async replace(plugin: string, by: PluginSource): Promise<SwapOutcome> {
    const path = await this.#read(by);
    return this.wait(this.kernel.host.replace(plugin, path), `a replacement of ${plugin}`);
  }

  /** Adds a plugin the node was not started with. */
  async add(plugin: PluginSource): Promise<SwapOutcome> {
    const path = await this.#read(plugin);
    return this.wait(this.kernel.host.add(path), `adding ${path}`);
  }

  disable(plugin: string): Promise<SwapOutcome> {
    return this.wait(this.kernel.host.disable(plugin), `switching ${plugin} off`);
  }

  enable(plugin: string): Promise<SwapOutcome> {
    return this.wait(this.kernel.host.enable(plugin), `switching ${plugin} on`);
  }

  /** Replaces a plugin's settings, or changes those it has, and swaps it in with them. @throws config/* when they are refused */
  configure(plugin: string, change: ConfigChange): Promise<SwapOutcome> {
    return this.wait(this.kernel.host.configure(plugin, change), `configuring ${plugin}`);
  }

  /** Moves time until a promise of this node settles. */
  async wait<T>(promise: Promise<T>, what: string): Promise<T> {
    try {
      return await this.#time.until(promise, CALL_LIMIT_MS, `${what} of ${this}`);
    } catch (error) {
      throw this.#located(error, what);
    }
  }

  async start(): Promise<void> {
    // Time stands still meanwhile: nobody has to wait for a node that loads its code.
    const node = await this.machine.start();
    this.#events.follow(node.bus);
  }

  /** Stops it in good order; peers hear of it as soon as time goes on. Safe to call again. */
  async stop(): Promise<void> {
    const { node } = this.machine;
    this.machine.node = undefined;
    if (node !== undefined) await this.#time.until(node.stop(), 2 * CALL_LIMIT_MS, `${this} stops`);
  }

  toString(): string {
    return this.name;
  }

  /** Evaluates code in real time, before virtual time is moved for it. What is wrong with it shows when it is swapped in. */
  async #read(plugin: PluginSource): Promise<string> {
    const path = placeOf(plugin, join(this.machine.dataDir, 'written-plugins'));
    await readPlugin(path).catch(() => {});
    return path;
  }

  #located(error: unknown, what: string): unknown {
    if (!(error instanceof Error) || codeOf(error).startsWith(`${testingErrors.area}/`)) return error;
    const message = `${this} at ${Math.round(this.#time.nowMs)} ms, ${what}: ${error.message}`;
    if (!(error instanceof ItsgoinError)) return new Error(message, { cause: error });
    return new ItsgoinError(error.code, { ...error, message }, error.data, error);
  }
}
