import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { ConnectionInfo, NodeId } from '../../kernel/index.ts';
import { linkSignals } from '../../kernel/index.ts';
import { startNode } from '../../kernel/node.ts';
import type { Node } from '../../kernel/node.ts';
import { transportErrors } from '../../kernel/transport/errors.ts';
import type { Connection, Endpoint, EndpointOptions, SocketAddress, Transport } from '../../kernel/transport/transport.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { connectionPair } from '../wire/pair.ts';
import type { FakeConnection } from '../wire/pair.ts';

const DIAL_LIMIT_MS = 15_000;
/** Folders of the plugins every node runs. */
export const PLUGINS = ['mesh', 'social'].map((name) => fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)));

/** Nodes of one test: real kernel and plugins, a network of function calls, time that the test moves. */
export class FakeNet {
  readonly clock = new VirtualClock();
  readonly t: ExecutionContext;
  /** Dials made so far: who, to which port, when. */
  readonly dials: { from: NodeId; port: number; atMs: number }[] = [];
  /** How long a frame takes; 0 delivers at once. */
  latencyMs = 0;
  readonly #endpoints = new Map<number, EndpointOptions>();
  #ports = 4_000;

  constructor(t: ExecutionContext) {
    this.t = t;
  }

  async node(name: string, options: { dataDir?: string; port?: number; plugins?: readonly string[] } = {}): Promise<FakeNode> {
    const dataDir = options.dataDir ?? temporaryDirectory(this.t);
    const port = options.port ?? ++this.#ports;
    const node = await startNode({
      dataDir,
      bind: `127.0.0.1:${port}`,
      clock: this.clock,
      random: seededRandom(`${name}/${this.dials.length}`),
      transport: this.#transport(),
      attended: false,
      logTo: 'none',
      plugins: options.plugins ?? PLUGINS,
    });
    this.t.teardown(() => this.clock.until(node.stop()));
    await this.clock.advance(10);
    return new FakeNode(this, node, name, dataDir, port);
  }

  /** Cuts a connection as a network does: both ends learn of it, neither said so. */
  cut(node: FakeNode, reason = 'idle-timeout'): void {
    for (const connection of [...node.connections]) connection.far.close(0, reason);
  }

  readonly connections = new Map<NodeId, Set<FakeConnection>>();

  #transport(): Transport {
    return {
      open: async (options) => {
        const port = options.bind?.port ?? 0;
        this.#endpoints.set(port, options);
        const own = new Set<FakeConnection>();
        this.connections.set(options.credentials.self.nodeId, own);
        const address: SocketAddress = { host: '127.0.0.1', port, family: 4 };
        const endpoint: Endpoint = {
          port,
          localAddresses: () => [address],
          dial: ({ addresses, expect }, signal) => this.#dial(options, port, addresses, expect, signal),
          connections: () => own,
          counters: () => ({}),
          close: async () => {
            if (this.#endpoints.get(port) === options) this.#endpoints.delete(port);
            for (const connection of [...own]) connection.close(1, 'shutting-down');
          },
        };
        return endpoint;
      },
    };
  }

  async #dial(
    from: EndpointOptions,
    fromPort: number,
    addresses: readonly SocketAddress[],
    expect: NodeId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Connection> {
    const port = addresses[0]?.port ?? 0;
    const { self } = from.credentials;
    this.dials.push({ from: self.nodeId, port, atMs: this.clock.now() });
    const to = this.#endpoints.get(port);
    if (to === undefined) {
      const linked = linkSignals([signal]);
      await this.clock.sleep(DIAL_LIMIT_MS, linked.signal);
      throw transportErrors.make('dial-timeout', { address: `127.0.0.1:${port}` });
    }
    if (expect !== undefined && to.credentials.self.nodeId !== expect) throw transportErrors.make('wrong-node', {});
    await this.clock.sleep(5, signal);
    const [near, far] = connectionPair(self, to.credentials.self, { wipe: false });
    Object.assign(near, { remote: { host: '127.0.0.1', port, family: 4 }, openedAtMs: this.clock.now() });
    Object.assign(far, { remote: { host: '127.0.0.1', port: fromPort, family: 4 }, openedAtMs: this.clock.now() });
    this.connections.get(self.nodeId)?.add(near);
    this.connections.get(to.credentials.self.nodeId)?.add(far);
    to.onConnection(far);
    from.onConnection(near);
    for (const connection of [near, far]) this.#delay(connection);
    return near;
  }

  #delay(connection: FakeConnection): void {
    const { onStream } = connection;
    connection.onStream = (stream) => {
      if (this.latencyMs === 0) return onStream(stream);
      stream.pause();
      this.clock.timer(this.latencyMs, () => {
        onStream(stream);
        stream.resume();
      });
    };
  }
}

export class FakeNode {
  readonly net: FakeNet;
  readonly node: Node;
  readonly name: string;
  readonly dataDir: string;
  readonly port: number;

  constructor(net: FakeNet, node: Node, name: string, dataDir: string, port: number) {
    this.net = net;
    this.node = node;
    this.name = name;
    this.dataDir = dataDir;
    this.port = port;
  }

  get id(): NodeId {
    return this.node.self.nodeId;
  }

  get connectString(): string {
    return `${this.id}@127.0.0.1:${this.port}`;
  }

  get connections(): readonly FakeConnection[] {
    return [...(this.net.connections.get(this.id) ?? [])].filter(({ closed }) => closed === undefined);
  }

  /** Runs a command, moving time until it ends. */
  run<R = Record<string, never>>(command: string, params: unknown = {}): Promise<R> {
    const { signal } = new AbortController();
    return this.net.clock.until(this.node.host.run(command, params, { signal, progress() {} })) as Promise<R>;
  }

  async peers(): Promise<PeerView[]> {
    return (await this.run<{ peers: PeerView[] }>('peer.list')).peers;
  }

  async peerIds(): Promise<string[]> {
    return (await this.peers()).map(({ node_id }) => node_id);
  }

  live(): readonly ConnectionInfo[] {
    return this.node.network.connections();
  }

  counters(plugin = 'mesh'): Readonly<Record<string, number>> {
    return this.node.host.inspect(plugin).counters;
  }

  reload(plugin = 'mesh'): Promise<{ outcome: string; reason: string | undefined }> {
    return this.net.clock.until(this.node.host.reload(plugin));
  }

  async stop(): Promise<void> {
    await this.net.clock.until(this.node.stop());
  }

  /** The same installation, started again on the same port. */
  async restart(): Promise<FakeNode> {
    await this.stop();
    return this.net.node(this.name, { dataDir: this.dataDir, port: this.port });
  }
}

export interface PeerView {
  node_id: string;
  device_id: string;
  kind: string;
  remote_addr: string;
  direction: string;
  features: string[];
  last_activity_ms: number;
  connected_at_ms: number;
  display_name?: string;
}
