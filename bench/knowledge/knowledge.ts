import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom, systemClock } from '../../kernel/clock/index.ts';
import type { DeviceId, NodeId, PeerId } from '../../kernel/index.ts';
import { decodeIds, encodeIds, packWords, SHORT_WORDS } from '../../plugins/routing/id-list.ts';
import { ReachIndex } from '../../plugins/routing/reach-index.ts';
import { MapIndex } from './map-index.ts';

const PEERS = 101;
const DIFF_IDS = 10_000;
const NO_IDS = new Uint32Array(0);
const ROUNDS = 9;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export interface KnowledgeFigures {
  /** `ours` beside a Map of id to the set of its reporters, filled with the same ids in the same run. */
  readonly what: string;
  readonly ours: number;
  readonly map: number;
  readonly mapPerOurs: number;
  readonly limit: number | undefined;
}

/** One million N3 entries of 101 peers: all of them different, and 10,000 each with all peers. */
export async function measureKnowledge(): Promise<KnowledgeFigures[]> {
  return [
    ...measureIndex('1 M ids of one peer each', 1_000_000),
    ...measureIndex('10 k ids of 100 peers each', 10_000),
    ...measureShare(),
  ];
}

/** `ids` different ids, dealt out so that there are a million entries. */
function measureIndex(name: string, ids: number): KnowledgeFigures[] {
  const peers = hexIds(PEERS).map((id) => ({ nodeId: id, deviceId: id as string as DeviceId }));
  const each = Math.floor(1_000_000 / PEERS);
  const universe = randomWords(ids + DIFF_IDS);
  const listOf = (peer: number): Uint32Array => {
    const list = new Uint32Array(each * SHORT_WORDS);
    for (let i = 0; i < each; i++) {
      const from = ((peer * each + i) % ids) * SHORT_WORDS;
      list.set(universe.subarray(from, from + SHORT_WORDS), i * SHORT_WORDS);
    }
    return list;
  };
  const counters = { add() {}, read: () => ({}) };
  const options = { self: hexIds(1)[0] as NodeId, clock: systemClock(), random: seededRandom('bench'), counters };

  const oursStart = heldBytes();
  const index = new ReachIndex(options);
  for (const [i, peer] of peers.entries()) index.replace(peer, { n2: NO_IDS, n3: listOf(i) }, 1);
  const oursMb = (heldBytes() - oursStart) / 1e6;
  const mapStart = heldBytes();
  const map = new MapIndex();
  for (const [i, peer] of peers.entries()) map.add(peer.nodeId, toHex(listOf(i)));
  const mapMb = (heldBytes() - mapStart) / 1e6;

  const sought = shuffledIds(universe, ids);
  const lookup = (layerOf: (id: NodeId) => unknown): number => {
    let found = 0;
    const micros = timed(() => {
      for (const id of sought) if (layerOf(id) !== 'none') found++;
    });
    if (found < sought.length / 3) throw new Error(`only ${found} found`);
    return (micros * 1_000) / sought.length;
  };
  const reporter = index.reporters.get(peers[0] as PeerId);
  if (reporter === undefined) throw new Error('the first peer has no list');
  // Half of the diff comes and half goes, then the other way round.
  const half = (DIFF_IDS / 2) * SHORT_WORDS;
  const [coming, going] = [universe.subarray(ids * SHORT_WORDS).subarray(0, half), listOf(0).subarray(0, half)];
  const [comingHex, goingHex] = [toHex(coming), toHex(going)];
  const diffs = Array.from({ length: ROUNDS }, (_, round) => {
    const there = round % 2 === 0;
    const [added, removed] = there ? [coming, going] : [going, coming];
    const [addedHex, removedHex] = there ? [comingHex, goingHex] : [goingHex, comingHex];
    const ours = timed(() => {
      const list = decodeIds(packWords(added), SHORT_WORDS) ?? NO_IDS;
      index.apply(reporter, { n2: NO_IDS, n3: list }, { n2: NO_IDS, n3: removed }, 2);
    });
    const theirs = timed(() => {
      map.remove(reporter.peer.nodeId, removedHex);
      map.add(reporter.peer.nodeId, addedHex);
    });
    return { ours, theirs };
  });
  const [oursDiff, mapDiff] = [median(diffs.map(({ ours }) => ours)), median(diffs.map(({ theirs }) => theirs))];
  const last = peers[PEERS - 1] as PeerId;
  const oursDrop = timed(() => index.drop(last));
  const mapDrop = timed(() => map.drop(last.nodeId));
  return [
    figure(`${name}: memory, MB`, oursMb, mapMb, 100),
    figure(
      `${name}: look-up, µs`,
      lookup((id) => index.layerOf(id)),
      lookup((id) => map.layerOf(id)),
      2,
    ),
    figure(`${name}: diff of 10,000 ids, ms`, oursDiff, mapDiff, 20),
    figure(`${name}: its slowest round of ${ROUNDS}, ms`, max(diffs, 'ours'), max(diffs, 'theirs'), undefined),
    figure(`${name}: a peer leaves, ms`, oursDrop, mapDrop, undefined),
  ];
}

/** Bytes of a share of 10,000 ids on the wire; the reference is the plain list. */
function measureShare(): KnowledgeFigures[] {
  const ids = hexIds(DIFF_IDS);
  const bytes = (packed: boolean, words: number): number => JSON.stringify(encodeIds(ids, words, packed)).length;
  const pack = timed(() => encodeIds(ids, SHORT_WORDS, true));
  const plain = timed(() => encodeIds(ids, SHORT_WORDS, false));
  return [
    figure(
      'share of 10,000 ids packed, bytes',
      bytes(true, SHORT_WORDS),
      bytes(false, SHORT_WORDS),
      bytes(false, SHORT_WORDS) / 2,
    ),
    figure('the same with whole ids packed, bytes', bytes(true, 8), bytes(false, 8), undefined),
    figure('making it, ms', pack, plain, undefined),
  ];
}

function figure(what: string, ours: number, map: number, limit: number | undefined): KnowledgeFigures {
  return { what, ours, map, mapPerOurs: map / ours, limit };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function max<K extends string>(rows: readonly Record<K, number>[], key: K): number {
  return Math.max(...rows.map((row) => row[key]));
}

function timed(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function heldBytes(): number {
  // Twice: array buffers go with the collection after that of their owner.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function randomWords(ids: number): Uint32Array {
  const words = new Uint32Array(ids * SHORT_WORDS);
  for (let at = 0; at < words.length; at += 1 << 16) randomFillSync(words.subarray(at, at + (1 << 16)));
  return words;
}

function toHex(words: Uint32Array): NodeId[] {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  return Array.from({ length: bytes.length / 16 }, (_, i) => wholeId(bytes.subarray(i * 16, i * 16 + 16)));
}

/** N3 knows the first half of an id; the other half is of no account. */
function wholeId(half: Buffer): NodeId {
  return `${half.toString('hex')}${'0'.repeat(32)}` as NodeId;
}

function hexIds(count: number): NodeId[] {
  const bytes = randomFillSync(Buffer.alloc(count * 32));
  return Array.from({ length: count }, (_, i) => bytes.toString('hex', i * 32, i * 32 + 32) as NodeId);
}

/** A hundred thousand ids: half of them known, half unknown. */
function shuffledIds(universe: Uint32Array, ids: number): NodeId[] {
  const random = seededRandom('sought');
  return Array.from({ length: 100_000 }, (_, i) => {
    if (i % 2 === 1) return hexIds(1)[0] as NodeId;
    const from = random.integer(ids) * SHORT_WORDS;
    return toHex(universe.slice(from, from + SHORT_WORDS))[0] as NodeId;
  });
}

if (import.meta.main) console.table(await measureKnowledge());
