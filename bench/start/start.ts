import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom, systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { makeCredentials } from '../../kernel/identity/certificate.ts';
import { type Endpoint, quicTransport } from '../../kernel/transport/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { contentMigrations } from '../../plugins/content/migrations/index.ts';
import { fillStore } from '../feed/fill.ts';
import { exited, startedNode } from '../node-process.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const COUNTERS = { add() {}, read: () => ({}) };
const STARTS = 7;
const CONNECTIONS = 100;
const IDLE_MS = 30_000;

export interface StartFigures {
  /** In the store, from the second start on. */
  readonly posts: number;
  /** From the process being spawned to its control socket answering, listening on UDP. */
  readonly firstStartMs: number;
  readonly startMs: { readonly median: number; readonly max: number };
  /** The reference: the same Node running an empty program. */
  readonly bareNodeMs: number;
  readonly ratio: number;
  readonly idleRssMb: number;
  readonly idleRssWith100Mb: number;
  /** Share of one core, over 30 s, with 100 idle connections. */
  readonly idleCpuShare: number;
}

/** What starting a node costs, and keeping it. */
export async function measureStart(posts = 0): Promise<StartFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-start-'));
  try {
    const bare: number[] = [];
    const starts: number[] = [];
    for (let round = 0; round < STARTS; round++) {
      bare.push(await timed(() => exited(spawn(process.execPath, ['-e', ''], { stdio: 'ignore' }))));
      const node = await startedNode(dir);
      starts.push(node.startMs);
      await node.stop();
      if (round === 0) await fill(dir, posts);
    }
    const node = await startedNode(dir);
    await pause(3_000);
    const idleRssMb = node.rssMb();
    const strangers = await connectStrangers(node.nodeId, node.port, CONNECTIONS);
    await pause(2_000);
    const before = node.cpuMs();
    await pause(IDLE_MS);
    const idleCpuShare = (node.cpuMs() - before) / IDLE_MS;
    const idleRssWith100Mb = node.rssMb();
    await strangers.close();
    await node.stop();
    const startMs = { median: median(starts.slice(1)), max: Math.max(...starts.slice(1)) };
    return {
      posts,
      firstStartMs: starts[0] as number,
      startMs,
      bareNodeMs: median(bare),
      ratio: startMs.median / median(bare),
      idleRssMb,
      idleRssWith100Mb,
      idleCpuShare,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function fill(dir: string, posts: number): Promise<void> {
  const file = openStore({ path: join(dir, 'itsgoin.db'), log: SILENT, clock: systemClock() });
  file.migrate('content', contentMigrations, ['expand', 'contract']);
  await fillStore(file.database('content'), posts, seededRandom(1));
  await file.close();
}

/** So many identities with one endpoint each, connected and silent. */
async function connectStrangers(nodeId: NodeId, port: number, count: number): Promise<{ close(): Promise<void> }> {
  const transport = quicTransport({ clock: systemClock(), random: systemRandom(), log: SILENT, counters: COUNTERS });
  const endpoints: Endpoint[] = [];
  for (let index = 0; index < count; index++) {
    const endpoint = await transport.open({
      bind: { host: '127.0.0.1', port: 0, family: 4 },
      credentials: makeCredentials(randomBytes(32), randomBytes(32)),
      onConnection: () => {},
    });
    await endpoint.dial({ addresses: [{ host: '127.0.0.1', port, family: 4 }], expect: nodeId });
    endpoints.push(endpoint);
  }
  return { close: async () => void (await Promise.all(endpoints.map((endpoint) => endpoint.close()))) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
