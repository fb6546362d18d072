import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findPlugins } from '../../kernel/lifecycle/loader.ts';
import { type Node, startNode } from '../../kernel/node.ts';
import { type NodeProcess, startedNode } from '../node-process.ts';

const PEERS = 101;
const ALONE_MS = 30_000;
/** The lists of all peers are taken in and told by then: a round of diffs has gone out since the last one came. */
const SETTLE_MS = 150_000;
/** Holds two rounds of routing diffs, which go out every 120 s, and eight of heartbeats. */
const WATCH_MS = 240_000;
const FOLDERS = {
  shipped: fileURLToPath(new URL('../../plugins', import.meta.url)),
  neighbourhood: fileURLToPath(new URL('neighbourhood', import.meta.url)),
};

interface Flow {
  /** As the measured node sees it. */
  readonly in: number;
  readonly out: number;
}

export interface IdleMeshFigures {
  readonly meshPeers: number;
  readonly n2: number;
  /** Shares of one core: the reference is the same node before it had peers. */
  readonly cpuShareAlone: number;
  readonly cpuShare: number;
  readonly rssMbAlone: number;
  readonly rssMb: number;
  /** QUIC packets, without the headers of UDP and IP; as the peers count them. */
  readonly udpBytesPerMinute: Flow;
  readonly frameBytesPerMinute: Flow;
  /** Largest list told to a peer: everybody gets it once, and again every four hours, which is not in the above. */
  readonly wholeListBytes: number;
  readonly framesPerMinute: Readonly<Record<string, Flow>>;
  readonly bytesPerMinute: Readonly<Record<string, Flow>>;
}

/**
 * A node with all its mesh slots held by real nodes and nothing to do. The peers run in this process, each
 * telling of a neighbourhood of 100 more; traffic is counted on their side, so that the node is not disturbed.
 */
export async function measureIdleMesh(): Promise<IdleMeshFigures> {
  const root = mkdtempSync(join(tmpdir(), 'itsgoin-bench-mesh-'));
  const peers: Node[] = [];
  try {
    const node = await startedNode(join(root, 'node'));
    await pause(3_000);
    const cpuShareAlone = await cpuShareOver(node, ALONE_MS);
    const rssMbAlone = node.rssMb();
    for (let n = 0; n < PEERS; n++) peers.push(await startPeer(join(root, `peer-${n}`), node));
    let wholeListBytes = 0;
    const watching = peers.map((peer) =>
      peer.trace.subscribe((records) => {
        for (const { name, direction, bytes } of records)
          if (name === 'NodeListUpdate' && direction === 'in') wholeListBytes = Math.max(wholeListBytes, bytes);
      }),
    );
    await pause(SETTLE_MS);
    for (const stop of watching) stop();
    const frames = new Map<string, Count>();
    for (const peer of peers) countFrames(peer, frames);
    const before = udpBytes(peers);
    const cpuShare = await cpuShareOver(node, WATCH_MS);
    const after = udpBytes(peers);
    const rssMb = node.rssMb();
    const { held } = await node.call<{ held: number }>('mesh.slots');
    const { diagnostics } = await node.call<{ diagnostics: { knowledge: { n2: number } } }>('plugin.inspect', {
      name: 'routing',
    });
    await Promise.all(peers.map((peer) => peer.stop()));
    await node.stop();
    const rows = [...frames].sort(([, a], [, b]) => b.bytesIn + b.bytesOut - a.bytesIn - a.bytesOut);
    const sum = (pick: (count: Count) => number): number => rows.reduce((total, [, count]) => total + pick(count), 0);
    return {
      meshPeers: held,
      n2: diagnostics.knowledge.n2,
      cpuShareAlone,
      cpuShare,
      rssMbAlone,
      rssMb,
      udpBytesPerMinute: perMinute(after.in - before.in, after.out - before.out),
      frameBytesPerMinute: perMinute(
        sum(({ bytesIn }) => bytesIn),
        sum(({ bytesOut }) => bytesOut),
      ),
      wholeListBytes,
      framesPerMinute: Object.fromEntries(
        rows.map(([name, { framesIn, framesOut }]) => [name, perMinute(framesIn, framesOut)]),
      ),
      bytesPerMinute: Object.fromEntries(
        rows.map(([name, { bytesIn, bytesOut }]) => [name, perMinute(bytesIn, bytesOut)]),
      ),
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A whole node that is content with the one peer it is told of. */
async function startPeer(dataDir: string, { nodeId, port }: NodeProcess): Promise<Node> {
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ plugins: { mesh: { config: { growth: false } } } }));
  const plugins = [...findPlugins(FOLDERS.shipped), FOLDERS.neighbourhood];
  const peer = await startNode({
    dataDir,
    plugins,
    bind: '127.0.0.1:0',
    attended: false,
    durable: false,
    logTo: 'none',
  });
  const call = { signal: AbortSignal.timeout(30_000), progress() {} };
  await peer.host.run('peer.connect', { target: `${nodeId}@127.0.0.1:${port}` }, call);
  return peer;
}

interface Count {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
}

/** What a peer sends is what comes in at the node. */
function countFrames(peer: Node, frames: Map<string, Count>): void {
  peer.trace.subscribe((records) => {
    for (const { name, direction, bytes } of records) {
      const count = frames.get(name) ?? { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
      frames.set(name, count);
      count[direction === 'out' ? 'framesIn' : 'framesOut'] += 1;
      count[direction === 'out' ? 'bytesIn' : 'bytesOut'] += bytes;
    }
  });
}

function udpBytes(peers: readonly Node[]): Flow {
  const connections = peers.flatMap(({ network }) => network.connections());
  return {
    in: connections.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    out: connections.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
  };
}

async function cpuShareOver(node: NodeProcess, ms: number): Promise<number> {
  const [beforeMs, startedMs] = [node.cpuMs(), performance.now()];
  await pause(ms);
  return (node.cpuMs() - beforeMs) / (performance.now() - startedMs);
}

const perMinute = (into: number, out: number): Flow => ({
  in: (into * 60_000) / WATCH_MS,
  out: (out * 60_000) / WATCH_MS,
});
