import type { Clock, Counters, NodeId, PeerId, Random } from '../../kernel/index.ts';
import type { Candidate, Verdict } from './contract.ts';
import { ID_WORDS, idOf, N1_SHARE_MAX, N2_SHARE_MAX, SHORT_WORDS, wordsOf } from './id-list.ts';
import { LayerIndex } from './layer-index.ts';
import { Reporters } from './reporters.ts';
import type { Reporter } from './reporters.ts';
import { candidateScore } from './score.ts';

/** Ids held at once. 101 peers with 10,000 each in N3 fit; beyond it see {@link ReachIndex} on room. */
export const N2_IDS_MAX = 131_072;
export const N3_IDS_MAX = 1_250_000;
const RANDOM_TRIES = 16;

type LayerName = 'n2' | 'n3';
const LAYERS = ['n2', 'n3'] as const;
const WORDS = { n2: ID_WORDS, n3: SHORT_WORDS } as const;
const QUOTA = { n2: N1_SHARE_MAX, n3: N2_SHARE_MAX } as const;

/** Ids by layer of ours: what the reporter calls N1 is our N2, its N2 our N3 (CONN-19). */
export type ByLayer = Readonly<Record<LayerName, Uint32Array>>;

export interface ReachIndexOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  /** For tests of what happens at the limit. */
  readonly n3IdsMax?: number;
}

/**
 * N2 and N3 by reporter (DB-08, DB-09). Each reporter has a quota in each layer, which shrinks with its
 * standing; what is over it is not taken. When a layer has no room, who holds more than its share of it
 * makes room for who holds less: no number of ids from one peer displaces those of another.
 */
export class ReachIndex {
  readonly reporters = new Reporters();
  readonly #layers: Readonly<Record<LayerName, LayerIndex>>;
  readonly #rowsMax: Readonly<Record<LayerName, number>>;
  readonly #options: ReachIndexOptions;
  readonly #self: Uint32Array;
  readonly #scratch = new Uint32Array(ID_WORDS);

  constructor(options: ReachIndexOptions) {
    this.#options = options;
    this.#self = wordsOf(options.self).slice();
    this.#rowsMax = { n2: N2_IDS_MAX, n3: options.n3IdsMax ?? N3_IDS_MAX };
    this.#layers = {
      n2: new LayerIndex(ID_WORDS, this.#rowsMax.n2, options.random),
      n3: new LayerIndex(SHORT_WORDS, this.#rowsMax.n3, options.random),
    };
  }

  get n2Size(): number {
    return this.#layers.n2.size;
  }

  get n3Size(): number {
    return this.#layers.n3.size;
  }

  /** Counts changes of which ids are in N2. */
  get n2Version(): number {
    return this.#layers.n2.version;
  }

  get bytes(): number {
    return this.#layers.n2.bytes + this.#layers.n3.bytes;
  }

  /** Replaces all that this reporter said. False when there is no place for another reporter. */
  replace(peer: PeerId, lists: ByLayer, revision: number): boolean {
    const reporter = this.reporters.ensure(peer);
    if (reporter === undefined) {
      this.#options.counters.add('reporters-full');
      return false;
    }
    reporter.revision = revision;
    reporter.listedAtMs = this.#options.clock.now();
    for (const layer of LAYERS) {
      this.#layers[layer].clear(reporter.number);
      this.#add(reporter, layer, lists[layer]);
    }
    return true;
  }

  /** Applies a diff of a reporter whose whole list we have. */
  apply(reporter: Reporter, added: ByLayer, removed: ByLayer, revision: number): void {
    reporter.revision = revision;
    for (const layer of LAYERS) {
      const index = this.#layers[layer];
      for (let at = 0; at < removed[layer].length; at += WORDS[layer]) {
        index.remove(reporter.number, removed[layer], at);
      }
      this.#add(reporter, layer, added[layer]);
    }
  }

  /** Forgets all that this peer said (CONN-06); its standing stays. */
  drop(peer: PeerId): void {
    const reporter = this.reporters.get(peer);
    if (reporter === undefined) return;
    for (const layer of LAYERS) this.#layers[layer].clear(reporter.number);
    this.reporters.delete(reporter);
  }

  /** Takes note of what a reporter's claim was worth, and takes back what it is no longer trusted with. */
  judge(nodeId: NodeId, verdict: Verdict): void {
    this.reporters.judge(nodeId, verdict, this.#options.clock.now());
    for (const reporter of this.reporters.of(nodeId)) {
      for (const layer of LAYERS) {
        const over = this.#layers[layer].count(reporter.number) - this.#quota(reporter, layer);
        if (over > 0) this.#shrink(reporter, layer, over);
      }
    }
  }

  layerOf(nodeId: NodeId): LayerName | 'none' {
    const words = wordsOf(nodeId);
    if (this.#layers.n2.has(words, 0)) return 'n2';
    return this.#layers.n3.has(words, 0) ? 'n3' : 'none';
  }

  reportersOf(nodeId: NodeId): Readonly<Record<LayerName, readonly NodeId[]>> {
    const words = wordsOf(nodeId);
    const of = (layer: LayerName) => this.reporters.nodesOf(this.#layers[layer].reporters(words, 0));
    return { n2: of('n2'), n3: of('n3') };
  }

  /** What N2 would lose without this peer, an id that others report too in part. */
  diversity(nodeId: NodeId): number {
    let sum = 0;
    for (const { number } of this.reporters.of(nodeId)) {
      const ids = this.#layers.n2.idsOf(number);
      for (let at = 0; at < ids.length; at += WORDS.n2) sum += 1 / this.#layers.n2.reporters(ids, at).length;
    }
    return sum;
  }

  /** All of N2. */
  n2(): NodeId[] {
    const ids: NodeId[] = [];
    this.#layers.n2.forEach(this.#scratch, () => ids.push(idOf(this.#scratch)));
    return ids;
  }

  /** The best of N2 by `1 / reporters + 0.3 if not in N3` (CONN-02), ties in random order. */
  candidates(limit: number, isExcluded: (nodeId: NodeId) => boolean): Candidate[] {
    const best: { score: number; tie: number; candidate: Candidate }[] = [];
    this.#layers.n2.forEach(this.#scratch, (reporterCount) => {
      const inN3 = this.#layers.n3.has(this.#scratch, 0);
      const score = candidateScore(reporterCount, inN3);
      const worst = best[limit - 1];
      if (worst !== undefined && score < worst.score) return;
      const tie = this.#options.random.float();
      if (worst !== undefined && score === worst.score && tie <= worst.tie) return;
      const nodeId = idOf(this.#scratch);
      if (isExcluded(nodeId)) return;
      const place = best.findIndex((other) => score > other.score || (score === other.score && tie > other.tie));
      best.splice(place < 0 ? best.length : place, 0, { score, tie, candidate: { nodeId, reporterCount, inN3 } });
      if (best.length > limit) best.pop();
    });
    return best.map(({ candidate }) => candidate);
  }

  /** A node of N2 that is not excluded. */
  randomN2(isExcluded: (nodeId: NodeId) => boolean): NodeId | undefined {
    for (let tries = 0; tries < RANDOM_TRIES; tries++) {
      if (!this.#layers.n2.pick(this.#options.random, this.#scratch)) return undefined;
      const nodeId = idOf(this.#scratch);
      if (!isExcluded(nodeId)) return nodeId;
    }
    return this.candidates(1, isExcluded)[0]?.nodeId;
  }

  countsOf(reporter: Reporter): Readonly<Record<LayerName, number>> {
    return { n2: this.#layers.n2.count(reporter.number), n3: this.#layers.n3.count(reporter.number) };
  }

  /** What a reporter said, for the next generation. */
  listsOf(reporter: Reporter): ByLayer {
    return { n2: this.#layers.n2.idsOf(reporter.number), n3: this.#layers.n3.idsOf(reporter.number) };
  }

  #add(reporter: Reporter, layer: LayerName, ids: Uint32Array): void {
    const { counters } = this.#options;
    const index = this.#layers[layer];
    const quota = this.#quota(reporter, layer);
    const own = wordsOf(reporter.peer.nodeId).slice();
    const words = WORDS[layer];
    let refused = 0;
    for (let at = 0; at < ids.length; at += words) {
      // That we are near ourselves, and a peer near itself, is no news.
      if (isSame(ids, at, this.#self, words) || isSame(ids, at, own, words)) continue;
      if (index.count(reporter.number) >= quota) {
        if (!index.isReportedBy(reporter.number, ids, at)) refused++;
        continue;
      }
      if (index.add(reporter.number, ids, at) !== 'full') continue;
      if (!this.#makeRoom(reporter, layer) || index.add(reporter.number, ids, at) === 'full') refused++;
    }
    if (refused > 0) counters.add(`ids-over-quota.${layer}`, refused);
  }

  #quota(reporter: Reporter, layer: LayerName): number {
    return Math.ceil(QUOTA[layer] * this.reporters.standing(reporter.peer.nodeId, this.#options.clock.now()));
  }

  /** Whoever holds most of a full layer gives up what is over its share of it. */
  #makeRoom(asker: Reporter, layer: LayerName): boolean {
    const index = this.#layers[layer];
    const share = Math.floor(this.#rowsMax[layer] / this.reporters.size);
    if (index.count(asker.number) >= share) return false;
    let largest = asker;
    for (const reporter of this.reporters.all()) {
      if (index.count(reporter.number) > index.count(largest.number)) largest = reporter;
    }
    const over = index.count(largest.number) - share;
    if (over <= 0) return false;
    this.#shrink(largest, layer, over);
    return true;
  }

  /** Takes `count` ids from a reporter, those that nobody else reports first. */
  #shrink(reporter: Reporter, layer: LayerName, count: number): void {
    const index = this.#layers[layer];
    const ids = index.idsOf(reporter.number);
    const words = WORDS[layer];
    let left = count;
    for (const alone of [true, false]) {
      for (let at = 0; at < ids.length && left > 0; at += words) {
        const others = index.reporters(ids, at).length;
        if (others === 0 || (alone && others > 1)) continue;
        if (index.remove(reporter.number, ids, at)) left--;
      }
    }
    this.#options.counters.add(`ids-taken-back.${layer}`, count);
  }
}

function isSame(ids: Uint32Array, at: number, other: Uint32Array, words: number): boolean {
  for (let i = 0; i < words; i++) if (ids[at + i] !== other[i]) return false;
  return true;
}
