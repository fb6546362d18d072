import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { seededRandom, systemClock } from '../../kernel/clock/index.ts';
import type { VirtualClock } from '../../kernel/clock/index.ts';
import { findPlugins } from '../../kernel/lifecycle/loader.ts';
import { type Node, startNode } from '../../kernel/node.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { VirtualTime } from '../../kernel/testing/virtual-time.ts';
import { MemoryNetwork } from '../../kernel/transport/memory/network.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import type { ChurnWorld } from './churn.ts';
import { PLUGINS } from './copies.ts';
import { METER } from './meter.ts';
import type { SwapNode } from './traffic.ts';

const LOGGING = { attended: false, logTo: 'none' } as const;
const COMMAND_LIMIT_MS = 60_000;

/** Nodes in this process over real QUIC on loopback. */
export function quicWorld(t: ExecutionContext): ChurnWorld {
  const homes = new Homes(t);
  return {
    clock: systemClock(),
    async start(name, anchors) {
      const node = await startNode({ ...homes.of(name, anchors), ...LOGGING, bind: '127.0.0.1:0' });
      t.teardown(() => node.stop());
      return swapNode(node, AbortSignal.timeout.bind(AbortSignal));
    },
  };
}

/** Nodes in this process over the memory network, in time that the test moves. */
export function memoryWorld(t: ExecutionContext): ChurnWorld & { readonly clock: VirtualClock } {
  const homes = new Homes(t);
  const counters = createCounters();
  // Waits for imports, too, which take real time only.
  const { clock } = new VirtualTime();
  const network = new MemoryNetwork({
    clock,
    random: seededRandom('network'),
    log: recordingLog(),
    counters: (host) => counters.of(host),
  });
  network.setDefaultLink({ latencyMs: 5 });
  return {
    clock,
    async start(name, anchors) {
      const home = homes.of(name, anchors);
      const host = `5.0.${home.number >> 8}.${home.number & 255}`;
      const node = await startNode({
        ...home,
        ...LOGGING,
        bind: `${host}:4433`,
        clock,
        random: seededRandom(`${name}/${clock.now()}`),
        transport: network.transport(host),
        durable: false,
      });
      t.teardown(() => clock.until(node.stop()));
      return swapNode(node, () => new AbortController().signal);
    },
  };
}

/** Data directories and plugins by the name of the installation; the first is that of an anchor. */
class Homes {
  readonly #root: string;
  readonly #plugins: readonly string[];
  readonly #numbers = new Map<string, number>();

  constructor(t: ExecutionContext) {
    this.#root = temporaryDirectory(t);
    const meter = join(this.#root, 'meter.ts');
    writeFileSync(meter, METER);
    this.#plugins = [...findPlugins(PLUGINS), meter];
  }

  of(name: string, anchors: readonly string[]) {
    const dataDir = join(this.#root, name);
    const known = this.#numbers.get(name);
    const number = known ?? this.#numbers.size + 1;
    if (known === undefined) {
      this.#numbers.set(name, number);
      mkdirSync(dataDir);
      const config = { plugins: { anchors: { config: { declare: number === 1, bootstrap: anchors } } } };
      writeFileSync(join(dataDir, 'config.json'), JSON.stringify(config));
    }
    return { number, dataDir, plugins: this.#plugins };
  }
}

function swapNode(node: Node, limit: (ms: number) => AbortSignal): SwapNode {
  const { self, host, network, bus } = node;
  return {
    nodeId: self.nodeId,
    connectString: `${self.nodeId}@${network.localAddresses()[0]}`,
    host,
    network,
    bus,
    run: (command, params = {}) =>
      host.run(command, params, { signal: limit(COMMAND_LIMIT_MS), progress() {} }) as never,
    stop: () => node.stop(),
  };
}
