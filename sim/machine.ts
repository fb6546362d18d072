import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../kernel/clock/index.ts';
import { identityOf } from '../kernel/identity/index.ts';
import { type Node, startNode } from '../kernel/node.ts';
import type { Clock, Random } from '../kernel/sdk/clock.ts';
import type { NodeId } from '../kernel/sdk/identifiers.ts';
import type { Transport } from '../kernel/transport/transport.ts';
import { simErrors } from './errors.ts';

const PORT = 4_433;
/** Commands of the workload; the node's own deadlines are shorter. */
const NEVER = new AbortController().signal;

export interface MachineOptions {
  readonly number: number;
  readonly seed: string;
  readonly root: string;
  readonly clock: Clock;
  readonly plugins: readonly string[];
  readonly transport: (host: string) => Transport;
  readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One computer with its disk and its address. The node on it is started and stopped any number of times. */
export class Machine {
  readonly number: number;
  readonly host: string;
  readonly nodeId: NodeId;
  readonly random: Random;
  node: Node | undefined;
  /** On the monotonic clock. */
  startedAtMs = 0;
  readonly #options: MachineOptions;
  readonly #dir: string;
  #starts = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.number = options.number;
    this.host = hostOf(options.number);
    this.#dir = join(options.root, String(options.number));
    const keys = seededRandom(`${options.seed}/keys/${options.number}`);
    const [identity, device] = [keys.bytes(32), keys.bytes(32)];
    this.nodeId = identityOf(identity, device).nodeId;
    this.random = seededRandom(`${options.seed}/user/${options.number}`);
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#dir, 'identity.key'), identity, { mode: 0o600 });
    writeFileSync(join(this.#dir, 'device.key'), device, { mode: 0o600 });
    const plugins = Object.fromEntries(Object.entries(options.config).map(([name, config]) => [name, { config }]));
    writeFileSync(join(this.#dir, 'config.json'), JSON.stringify({ plugins }));
  }

  get address(): string {
    return `${this.host}:${PORT}`;
  }

  get connectString(): string {
    return `${this.nodeId}@${this.address}`;
  }

  /** @throws sim/start-failed when a plugin is not active afterwards */
  async start(): Promise<Node> {
    const { seed, clock, plugins, transport } = this.#options;
    const node = await startNode({
      dataDir: this.#dir,
      clock,
      random: seededRandom(`${seed}/node/${this.number}/${this.#starts++}`),
      transport: transport(this.host),
      port: PORT,
      plugins,
      attended: false,
      durable: false,
      logLevel: 'error',
      logTo: 'none',
    });
    this.node = node;
    this.startedAtMs = clock.monotonic();
    const failed = node.host.list().find(({ state }) => state !== 'active');
    if (failed !== undefined) {
      throw simErrors.make('start-failed', {
        plugin: failed.name,
        node: this.number,
        reason: failed.reason ?? failed.state,
      });
    }
    return node;
  }

  /** Runs a command as the machine's user would. Rejects as the command does. */
  async run<R = unknown>(command: string, params: Record<string, unknown>): Promise<R> {
    if (this.node === undefined) throw new Error(`machine ${this.number} is off`);
    return (await this.node.host.run(command, params, { signal: NEVER, progress() {} })) as R;
  }
}

/** Public addresses, each in a /16 of its own: nobody may take two machines for one household. */
function hostOf(number: number): string {
  return `${20 + (number % 64)}.${Math.floor(number / 64) % 256}.${1 + Math.floor(number / 16_384)}.7`;
}
