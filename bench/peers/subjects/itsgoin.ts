import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type NodeId, RAW_BLOB } from '../../../kernel/index.ts';
import { findPlugins } from '../../../kernel/lifecycle/loader.ts';
import { startNode } from '../../../kernel/node.ts';
import type { ConnectionInfo } from '../../../kernel/sdk/network.ts';
import type { NetworkHost } from '../../../kernel/wire/index.ts';
import { bulk, echo } from '../plugin/plugin.ts';
import { type Contact, type Link, type Peer, REQUEST, type Subject } from './subject.ts';

const SHIPPED = fileURLToPath(new URL('../../../plugins', import.meta.url));
const BENCH = fileURLToPath(new URL('../plugin', import.meta.url));
const FEATURES_POLL_MS = 5;

/** Whole nodes with every plugin: schema, budgets, certificates, dispatch. Bulk bytes are a raw body. */
export const itsgoin: Subject = {
  async start(host): Promise<Peer> {
    const { self, network } = await startNode({
      dataDir: mkdtempSync(join(tmpdir(), 'itsgoin-bench-peers-')),
      plugins: [...findPlugins(SHIPPED), BENCH],
      bind: `${host}:0`,
      attended: false,
      logTo: 'none',
    });
    return {
      contact: { nodeId: self.nodeId, address: `${host}:${network.port}` },
      async connect({ nodeId, address }: Contact): Promise<Link> {
        const connection = await network.dial({ nodeId: nodeId as NodeId, addresses: [String(address)] });
        return new NodeLink(network, connection);
      },
    };
  },
};

class NodeLink implements Link {
  readonly #network: NetworkHost;
  readonly #connection: ConnectionInfo;

  constructor(network: NetworkHost, connection: ConnectionInfo) {
    this.#network = network;
    this.#connection = connection;
  }

  async request(): Promise<void> {
    await this.#network.sendTo(this.#connection.peer, echo, REQUEST);
  }

  async fetch(wanted: number, onBytes = () => {}): Promise<void> {
    // Raw bytes are for peers that have told, in their handshake, that they take them.
    while (!this.#network.featuresOf(this.#connection.id).has(RAW_BLOB)) await pause(FEATURES_POLL_MS);
    const { bytes } = await this.#network.sendTo(this.#connection.peer, bulk, { bytes: wanted });
    let received = 0;
    for await (const chunk of bytes ?? []) {
      received += chunk.length;
      onBytes();
    }
    if (received !== wanted) throw new Error(`${received} of ${wanted} bytes came`);
  }

  async close(): Promise<void> {
    this.#network.close(this.#connection.id, 'done');
  }
}
