import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndProcess } from './end-process.ts';
import { type PeerName, PEERS } from './end.ts';
import { makeNamespace, type NetworkNamespace } from './network-namespace.ts';
import type { Contact } from './subjects/subject.ts';
import { installPackages } from './packages.ts';
import { type Figure, figureOf, type Measure, MEASURES, type Round } from './rounds.ts';

const ROUNDS = 5;
const CONNECTS = 5;
const RATE_MS = 600;
const BULK_BYTES = 50 * 1024 * 1024;
const MB = 1_000_000;
const LOOPBACK = '127.0.0.1';
const LOOPBACK_MTU = '/sys/class/net/lo/mtu';

export interface PeersOptions {
  /** Measured at this MTU in a network namespace of its own; without, over loopback. */
  readonly mtu: number | undefined;
}

export interface PeersFigures {
  /** Of the device the datagrams pass; undefined where the system does not show it. */
  readonly mtu: number | undefined;
  readonly rounds: number;
  /** Both ends in one process, or in one each. */
  readonly processes: Readonly<Record<'one' | 'two', Readonly<Record<Measure, Figure>>>>;
}

/** A pair of ends that is measured. */
interface Pair {
  readonly subject: PeerName;
  readonly processes: 'one' | 'two';
  readonly near: EndProcess;
  /** The same where both ends are in one process. */
  readonly far: EndProcess;
  readonly contact: Contact;
  readonly rounds: Round[];
}

/**
 * The whole stack beside hyperdht and js-libp2p over QUIC. Rounds take turns, so that what else the machine does
 * falls on all of them alike; while one is measured the others are idle. The first round warms up and does not count.
 */
export async function measurePeers({ mtu }: PeersOptions): Promise<PeersFigures> {
  installPackages();
  const namespace = mtu === undefined ? undefined : makeNamespace(mtu);
  const tmpDir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-peers-'));
  const ends: EndProcess[] = [];
  try {
    const pairs: Pair[] = [];
    for (const processes of ['one', 'two'] as const)
      for (const subject of PEERS) pairs.push(await startPair(subject, processes, namespace, tmpDir, ends));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const pair of pairs) {
        const found = await measure(pair);
        if (round > 0) pair.rounds.push(found);
      }
      // Whoever comes first meets the machine in another state than who comes after.
      pairs.push(...pairs.splice(0, 1));
    }
    const figures = (processes: 'one' | 'two'): Readonly<Record<Measure, Figure>> => {
      const rounds = Object.fromEntries(
        pairs.filter((pair) => pair.processes === processes).map(({ subject, rounds }) => [subject, rounds]),
      ) as Record<PeerName, Round[]>;
      const entries = MEASURES.map((measure) => [measure, figureOf(measure, rounds)]);
      return Object.fromEntries(entries) as Record<Measure, Figure>;
    };
    return {
      mtu: mtu ?? loopbackMtu(),
      rounds: ROUNDS,
      processes: { one: figures('one'), two: figures('two') },
    };
  } finally {
    for (const end of ends) end.stop();
    namespace?.remove();
    rmSync(tmpDir, { recursive: true, force: true });
  }
}

async function startPair(
  subject: PeerName,
  processes: 'one' | 'two',
  namespace: NetworkNamespace | undefined,
  tmpDir: string,
  ends: EndProcess[],
): Promise<Pair> {
  const host = namespace?.host ?? LOOPBACK;
  const far = new EndProcess(namespace?.within ?? [], tmpDir);
  ends.push(far);
  const near = processes === 'one' ? far : new EndProcess(namespace?.within ?? [], tmpDir);
  if (near !== far) ends.push(near);
  const contact = await far.call('start', { subject, host });
  await near.call('start', { subject, host });
  return { subject, processes, near, far, contact, rounds: [] };
}

async function measure(pair: Pair): Promise<Round> {
  const { near, contact } = pair;
  const { connectMs, firstAnswerMs } = await near.call('connect', { contact, times: CONNECTS });
  const serial = await near.call('serial', { ms: RATE_MS });
  const [parallel, parallelMs] = await timed(pair, () => near.call('parallel', { ms: RATE_MS }));
  const [bulk, bulkMs] = await timed(pair, () => near.call('bulk', { bytes: BULK_BYTES }));
  return {
    connect: connectMs,
    firstAnswer: firstAnswerMs,
    serial,
    parallel,
    parallelCpu: (parallelMs * 1_000) / ((parallel * RATE_MS) / 1_000),
    bulk,
    bulkCpu: bulkMs / (BULK_BYTES / MB),
  };
}

/** What a call gave, and the processor time it took at both ends. */
async function timed<T>({ near, far }: Pair, call: () => Promise<T>): Promise<readonly [T, number]> {
  const ends = near === far ? [near] : [near, far];
  const cpuMs = async (): Promise<number> =>
    (await Promise.all(ends.map((end) => end.call('cpu', {})))).reduce((sum, ms) => sum + ms, 0);
  const before = await cpuMs();
  const value = await call();
  return [value, (await cpuMs()) - before];
}

function loopbackMtu(): number | undefined {
  return existsSync(LOOPBACK_MTU) ? Number(readFileSync(LOOPBACK_MTU, 'utf8')) : undefined;
}
