import { codeOf, linkSignals, untilAborted } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { UNDIALLED } from '../peers/api.ts';
import { rejoinEnded } from './api.ts';
import type { Anchor, BootstrapCause } from './api.ts';
import type { AnchorsContext } from './context.ts';
import type { AnchorStatus } from './anchor-status.ts';
import { anchorsErrors } from './errors.ts';
import type { KnownAnchors } from './known-anchors.ts';
import { ANCHOR_WORD_LIMITS, placeToldBy } from './matchmaking.ts';
import type { Matchmaking } from './matchmaking.ts';
import type { ProfileAnchors } from './profile-anchors.ts';
import { anchorRegister, referralRequest } from './messages.ts';
import type { Referral } from './messages.ts';
import type { Place, PeerDirectory } from './peer-directory.ts';

/** Anchors tried in one run: with 15 s for a dead one, a run ends within ten minutes. */
const ANCHORS_TRIED_MAX = 32;
/** Referrals dialled at once. */
const DIALS_MAX = 4;
/** All referrals of one anchor together: three rounds of dead ones. */
const REFERRALS_LIMIT_MS = 60_000;
/** ANCHOR_STALE_THRESHOLD (CONN-17), and how many are tried in one run. */
const STALE_MS = 7 * 24 * 3_600_000;
const STALE_TRIED_MAX = 16;
/** Runs remembered for `anchor explain`, and the steps of one. */
const RUNS_KEPT = 5;

/** One anchor of a run, or one of its referrals, for `anchor explain`. */
export interface RejoinStep {
  readonly what: 'anchor' | 'referral' | 'stale';
  readonly node_id: NodeId;
  readonly took_ms: number;
  /** `connected`, or an error code. */
  readonly result: string;
}

export interface BootstrapRecord {
  readonly cause: BootstrapCause;
  readonly at_ms: number;
  took_ms: number;
  readonly steps: RejoinStep[];
}

interface BootstrapDeps {
  readonly directory: PeerDirectory;
  readonly known: KnownAnchors;
  readonly declaration: AnchorStatus;
  readonly matches: Matchmaking;
  /** Anchors of the file and the config (ID-07). */
  bootstrap(): readonly Anchor[];
  readonly profileAnchors: ProfileAnchors;
  /** Anchors that others told of and nobody has proved: the last resort. */
  hints(): readonly Place[];
}

/** Asks anchors for peers: at bootstrap, in recovery and after the isolation check, never on a timer. */
export class Bootstrap {
  readonly #anchors: AnchorsContext;
  readonly #deps: BootstrapDeps;
  readonly #runs: BootstrapRecord[] = [];
  #running: Promise<number> | undefined;

  constructor(anchors: AnchorsContext, deps: BootstrapDeps) {
    this.#anchors = anchors;
    this.#deps = deps;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  runs(): readonly BootstrapRecord[] {
    return this.#runs;
  }

  /**
   * Resolves with the number of nodes connected. A run under way is joined, whatever its cause; `signal`
   * ends the waiting, not the run.
   */
  run(cause: BootstrapCause, targets?: readonly Place[], signal?: AbortSignal): Promise<number> {
    this.#running ??= this.#run(cause, targets).finally(() => {
      this.#running = undefined;
    });
    return untilAborted(this.#running, signal);
  }

  async #run(cause: BootstrapCause, targets: readonly Place[] | undefined): Promise<number> {
    const { ctx } = this.#anchors;
    const startedMs = ctx.clock.now();
    const record: BootstrapRecord = { cause, at_ms: startedMs, took_ms: 0, steps: [] };
    this.#runs.push(record);
    if (this.#runs.length > RUNS_KEPT) this.#runs.shift();
    ctx.counters.add(`rejoins.${cause}`);
    let answered: NodeId | undefined;
    let connected = 0;
    const tried = new Set<NodeId>([ctx.self.nodeId]);
    for await (const anchor of targets ?? this.#order()) {
      if (tried.has(anchor.nodeId)) continue;
      if (tried.size > ANCHORS_TRIED_MAX) break;
      tried.add(anchor.nodeId);
      if (!(await this.#step(record, 'anchor', anchor, () => this.#reach(anchor, cause)))) continue;
      // We dialled it there, which is all that makes an anchor; what else was told of it is nobody's word now.
      const at = anchor.told !== undefined ? this.#deps.directory.dialledAt(anchor.nodeId) : anchor.addresses;
      this.#deps.known.seen(anchor.nodeId, at, ctx.clock.now());
      connected += await this.#askForReferrals(record, anchor.nodeId);
      answered = anchor.nodeId;
      if (this.#deps.directory.meshSize() > 0) break;
    }
    await this.#deps.directory.requestGrowth();
    if (answered !== undefined && (cause === 'bootstrap' || cause === 'recovery')) await this.#cleanStale(record);
    record.took_ms = ctx.clock.now() - startedMs;
    ctx.emit(rejoinEnded, { cause, tookMs: record.took_ms, anchor: answered, connected });
    return connected + (answered === undefined ? 0 : 1);
  }

  /** ANCH-03: read when the next is due, since an answer of one may bring others. */
  async *#order(): AsyncIterable<Place> {
    const { known, bootstrap, profileAnchors, hints } = this.#deps;
    yield* known.all();
    yield* bootstrap();
    yield* await profileAnchors.own();
    yield* await profileAnchors.ofFollowees();
    yield* hints();
  }

  async #reach({ nodeId, addresses, told }: Place, cause: BootstrapCause): Promise<void> {
    const word = told === undefined ? {} : { told: { ...told, limits: ANCHOR_WORD_LIMITS } };
    await this.#deps.directory.reach({ nodeId, addresses, ...word }, cause, this.#anchors.ctx.signal);
  }

  /** Registers with the anchor, asks who else waits there, and dials them (CONN-15, -16). */
  async #askForReferrals(record: BootstrapRecord, anchor: NodeId): Promise<number> {
    const { ctx, network } = this.#anchors;
    // An anchor is reached without help and leaves the list to those who need it (ID-08).
    if (this.#deps.declaration.isDeclared()) return 0;
    let referrals: readonly Referral[];
    try {
      const toldTo = this.#deps.directory.seenAt(anchor);
      const addresses = network
        .localAddresses()
        .filter((address) => address.length <= 64 && network.mayDial(address, toldTo))
        .slice(0, 8);
      const nplus10 = [...(await this.#deps.directory.nplus10())];
      this.#deps.matches.waitAt(anchor);
      await ctx.send(anchor, anchorRegister, { addresses, nplus10 }, { signal: ctx.signal });
      ({ referrals } = await ctx.send(anchor, referralRequest, {}, { signal: ctx.signal }));
    } catch (error) {
      ctx.signal.throwIfAborted();
      ctx.counters.add(`referrals-failed.${codeOf(error)}`);
      return 0;
    }
    const limit = linkSignals([ctx.signal], { clock: ctx.clock, deadlineMs: REFERRALS_LIMIT_MS });
    const queue = [...referrals];
    let connected = 0;
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (await this.#tryReferral(record, anchor, next, limit.signal)) connected++;
      }
    };
    await Promise.all(Array.from({ length: DIALS_MAX }, work));
    limit.dispose();
    return connected;
  }

  async #tryReferral(
    record: BootstrapRecord,
    anchor: NodeId,
    referral: Referral,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ctx } = this.#anchors;
    const nodeId = referral.node_id;
    if (nodeId === ctx.self.nodeId || this.#deps.directory.isConnected(nodeId) || signal.aborted) return false;
    const place = placeToldBy(anchor, nodeId, referral.addresses);
    const direct = await this.#step(record, 'referral', place, async () => {
      try {
        await this.#deps.directory.reach(place, 'referral', signal);
      } catch (error) {
        if (UNDIALLED.has(codeOf(error))) ctx.counters.add('referral-addresses-refused');
        throw error;
      }
    });
    const introduction = ctx.deps.introduction;
    if (direct || !introduction.available || signal.aborted) return direct;
    return this.#step(record, 'referral', place, async () => {
      const done = await introduction.use((service) => service.introduce(nodeId, anchor, { signal }), { signal });
      if (!done) throw anchorsErrors.make('not-introduced', { node_id: nodeId });
    });
  }

  /** The last step of bootstrap and recovery: anchors long unseen are dialled once, and forgotten if they are gone. */
  async #cleanStale(record: BootstrapRecord): Promise<void> {
    const { ctx, network } = this.#anchors;
    const { known, directory } = this.#deps;
    const before = ctx.clock.now() - STALE_MS;
    for (const anchor of known.staleSince(before, STALE_TRIED_MAX)) {
      const wasConnected = directory.isConnected(anchor.nodeId);
      const alive = await this.#step(record, 'stale', anchor, async () => {
        const { connectionId } = await directory.reach(anchor, 'stale-anchor', ctx.signal);
        if (!wasConnected) network.close(connectionId, 'done');
      });
      if (alive) known.touch(anchor.nodeId, ctx.clock.now());
      else known.remove(anchor.nodeId);
    }
  }

  /** True when `work` succeeded; a failure is a line of the record, except that of our own end. */
  async #step(
    record: BootstrapRecord,
    what: RejoinStep['what'],
    { nodeId }: Anchor,
    work: () => Promise<void>,
  ): Promise<boolean> {
    const { ctx } = this.#anchors;
    const startedMs = ctx.clock.now();
    const note = (result: string): void => {
      record.steps.push({ what, node_id: nodeId, took_ms: ctx.clock.now() - startedMs, result });
    };
    try {
      await work();
      note('connected');
      return true;
    } catch (error) {
      ctx.signal.throwIfAborted();
      note(codeOf(error));
      return false;
    }
  }
}
