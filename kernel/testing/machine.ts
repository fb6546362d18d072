import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../clock/random.ts';
import { identityOf, loadIdentity } from '../identity/keys.ts';
import type { Identity } from '../identity/keys.ts';
import { type Node, startNode } from '../node.ts';
import type { LogOptions } from '../observe/log-book.ts';
import type { Clock, Random } from '../sdk/clock.ts';
import type { NodeId } from '../sdk/identifiers.ts';
import type { Transport } from '../transport/transport.ts';
import { testingErrors } from './errors.ts';

const PORT = 4_433;

/** Settings of plugins, by plugin and key. */
export type PluginSettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface MachineOptions {
  readonly number: number;
  /** Names it in errors and makes its keys. Default: its number. */
  readonly name?: string;
  readonly seed: string;
  /** The directory in which it makes its own. */
  readonly root: string;
  /** A data directory that is there already, in the place of one of its own: keys and config are what it says. */
  readonly dataDir?: string;
  readonly clock: Clock;
  /** Folders or files of the plugins it runs. */
  readonly plugins: readonly string[];
  readonly transport: (host: string) => Transport;
  readonly config: PluginSettings;
  /** An IP address; by default a public one in a /16 of its own. */
  readonly host?: string;
  /** Of its node; machines at one address need different ones. */
  readonly port?: number;
  /** Texts that stand for the user's files in the data directory, by name: `anchors.json`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether it goes on with plugins that do not start. */
  readonly mayFail?: boolean;
  readonly logTo?: LogOptions['to'];
  readonly logLevel?: LogOptions['level'];
}

/** One computer with its disk, its keys and its address. The node on it is started and stopped any number of times. */
export class Machine {
  readonly number: number;
  readonly name: string;
  readonly identity: Identity;
  /** For what its user does. */
  readonly random: Random;
  readonly dataDir: string;
  host: string;
  node: Node | undefined;
  /** On the monotonic clock. */
  startedAtMs = 0;
  readonly #options: MachineOptions;
  readonly #port: number;
  #starts = 0;

  constructor(options: MachineOptions) {
    const { number, name, seed, root, config, host = hostOf(number) } = options;
    this.#options = options;
    this.number = number;
    this.name = name ?? `node ${number}`;
    this.host = host;
    this.#port = options.port ?? PORT;
    this.random = seededRandom(`${seed}/user/${number}`);
    this.dataDir = options.dataDir ?? join(root, String(number));
    if (options.dataDir === undefined) install(this.dataDir, testIdentity(name ?? String(number), seed), config);
    this.identity = loadIdentity(this.dataDir, { random: seededRandom(`${seed}/keys/${number}`) });
  }

  get nodeId(): NodeId {
    return this.identity.nodeId;
  }

  get address(): string {
    return `${this.host}:${this.#port}`;
  }

  get connectString(): string {
    return `${this.nodeId}@${this.address}`;
  }

  /** @throws testing/not-active when a plugin that is on does not start, unless it may fail */
  async start(): Promise<Node> {
    const { seed, clock, plugins, transport, files, mayFail, logTo = 'none', logLevel = 'error' } = this.#options;
    const node = await startNode({
      dataDir: this.dataDir,
      clock,
      random: seededRandom(`${seed}/node/${this.number}/${this.#starts++}`),
      transport: transport(this.host),
      port: this.#port,
      plugins,
      attended: false,
      durable: false,
      logLevel,
      logTo,
      ...(files && { files }),
    });
    this.node = node;
    this.startedAtMs = clock.monotonic();
    const failed = node.host.list().find(({ state }) => state === 'failed');
    if (failed !== undefined && mayFail !== true) {
      throw testingErrors.make('not-active', {
        plugin: failed.name,
        node: this.name,
        state: failed.state,
        reason: failed.reason ?? 'no reason given',
      });
    }
    return node;
  }

  /** Runs a command as the machine's user would; the node's own deadlines are the only ones. Rejects as the command does. */
  async run<R = unknown>(command: string, params: Readonly<Record<string, unknown>>): Promise<R> {
    if (this.node === undefined) throw testingErrors.make('node-off', { node: this.name });
    const call = { signal: new AbortController().signal, progress() {} };
    return (await this.node.host.run(command, params, call)) as R;
  }
}

/** What a data directory has before the first start: keys and config. */
function install(dataDir: string, { identitySeed, deviceSeed }: Identity, config: PluginSettings): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, 'identity.key'), identitySeed, { mode: 0o600 });
  writeFileSync(join(dataDir, 'device.key'), deviceSeed, { mode: 0o600 });
  const plugins = Object.fromEntries(Object.entries(config).map(([name, values]) => [name, { config: values }]));
  writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ plugins }));
}

/** Who a node of this name is, in a network of this seed; also somebody who has no node. */
export function testIdentity(name: string, seed: number | string = 1): Identity {
  const keys = seededRandom(`${seed}/keys/${name}`);
  return identityOf(keys.bytes(32), keys.bytes(32));
}

/** Public addresses, each in a /16 of its own: nobody may take two machines for one household. */
function hostOf(number: number): string {
  return `${20 + (number % 64)}.${Math.floor(number / 64) % 256}.${1 + Math.floor(number / 16_384)}.7`;
}
