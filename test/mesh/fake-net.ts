import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { pendingVerifications } from '../../kernel/identity/index.ts';
import type { ConnectionInfo, NodeId } from '../../kernel/index.ts';
import { startNode } from '../../kernel/node.ts';
import type { Node } from '../../kernel/node.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { MemoryNetwork } from '../../kernel/transport/memory/network.ts';
import type { Transport } from '../../kernel/transport/transport.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** The plugins that make connections a mesh. */
export const CORE = ['peers', 'routing', 'lookup', 'mesh'] as const;

/** Folders of the plugins every node runs. */
export const PLUGINS = ['peers', 'routing', 'lookup', 'mesh', 'social'].map((name) =>
  fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
);
const PORT = 4_433;

/** Nodes of one test over the memory network, with time that the test moves. */
export class FakeNet {
  readonly clock = new VirtualClock({ busy: () => pendingVerifications() > 0 });
  readonly t: ExecutionContext;
  readonly network: MemoryNetwork;
  /** Dials made so far: who, to where, when. */
  readonly dials: { from: NodeId; to: string; atMs: number }[] = [];
  readonly #counters = createCounters();
  #hosts = 0;

  constructor(t: ExecutionContext) {
    this.t = t;
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: seededRandom('network'),
      log: recordingLog(),
      counters: (host) => this.#counters.of(host),
    });
  }

  /** Starts a node; the options of an earlier one start the same installation at the same address. */
  async node(
    name: string,
    options: { dataDir?: string; host?: string; plugins?: readonly string[] } = {},
  ): Promise<FakeNode> {
    const dataDir = options.dataDir ?? temporaryDirectory(this.t);
    const host = options.host ?? `192.0.2.${++this.#hosts}`;
    const node = await startNode({
      dataDir,
      bind: `${host}:${PORT}`,
      clock: this.clock,
      random: seededRandom(`${name}/${this.dials.length}`),
      transport: this.#recording(this.network.transport(host)),
      attended: false,
      logTo: 'none',
      plugins: options.plugins ?? PLUGINS,
    });
    this.t.teardown(() => this.clock.until(node.stop()));
    await this.clock.advance(10);
    return new FakeNode(this, node, name, dataDir, host);
  }

  #recording(transport: Transport): Transport {
    return {
      open: async (options) => {
        const endpoint = await transport.open(options);
        const dial = endpoint.dial.bind(endpoint);
        endpoint.dial = (target, signal) => {
          const to = target.addresses.map(({ host }) => host).join();
          this.dials.push({ from: options.credentials.self.nodeId, to, atMs: this.clock.now() });
          return dial(target, signal);
        };
        return endpoint;
      },
    };
  }
}

export class FakeNode {
  readonly net: FakeNet;
  readonly node: Node;
  readonly name: string;
  readonly dataDir: string;
  readonly host: string;

  constructor(net: FakeNet, node: Node, name: string, dataDir: string, host: string) {
    this.net = net;
    this.node = node;
    this.name = name;
    this.dataDir = dataDir;
    this.host = host;
  }

  get id(): NodeId {
    return this.node.self.nodeId;
  }

  get address(): string {
    return `${this.host}:${PORT}`;
  }

  get connectString(): string {
    return `${this.id}@${this.address}`;
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

  /** Of one plugin, or of all four that make the mesh. */
  counters(plugin?: string): Readonly<Record<string, number>> {
    const plugins = plugin === undefined ? CORE.filter((name) => this.#runs(name)) : [plugin];
    return Object.assign({}, ...plugins.map((name) => this.node.host.inspect(name).counters));
  }

  /** Reloads one plugin, or all four that make the mesh, one after the other; the first that fails is the outcome. */
  async reload(plugin?: string): Promise<{ outcome: string; reason: string | undefined }> {
    const plugins = plugin === undefined ? CORE.filter((name) => this.#runs(name)) : [plugin];
    let last = { outcome: 'committed', reason: undefined as string | undefined };
    for (const name of plugins) {
      last = await this.net.clock.until(this.node.host.reload(name));
      if (last.outcome !== 'committed') break;
    }
    return last;
  }

  #runs(plugin: string): boolean {
    return this.node.host.list().some(({ name }) => name === plugin);
  }

  async stop(): Promise<void> {
    await this.net.clock.until(this.node.stop());
  }

  /** The same installation, started again on the same port. */
  async restart(): Promise<FakeNode> {
    await this.stop();
    return this.net.node(this.name, { dataDir: this.dataDir, host: this.host });
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
