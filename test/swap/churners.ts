import type { ExecutionContext } from 'ava';
import type { Clock, ConnectionInfo } from '../../kernel/index.ts';
import type { ChurnWorld } from './churn.ts';
import type { SwapNode } from './traffic.ts';

/**
 * Who met three that have just left goes on with the next list, at the latest with a round of diffs (120 s);
 * a dial takes 15 s.
 */
const JOIN_LIMIT_MS = 150_000;

interface ChurnDeps {
  readonly stable: readonly SwapNode[];
  readonly anchor: string;
  readonly stayMs: number;
}

/** Nodes that join those that stay, grow into their mesh and leave; and the account of what connections ended. */
export class Churn {
  readonly #t: ExecutionContext;
  readonly #world: ChurnWorld;
  readonly #deps: ChurnDeps;
  readonly #leftAtMs = new Map<string, number>();
  readonly #joinMs: number[] = [];
  readonly #neverJoined: string[] = [];
  readonly #lateReturns: string[] = [];
  readonly #dropped: string[] = [];
  #ended = 0;
  #superseded = 0;
  #refused = 0;
  #stopped = false;

  constructor(t: ExecutionContext, world: ChurnWorld, deps: ChurnDeps) {
    this.#t = t;
    this.#world = world;
    this.#deps = deps;
    for (const node of deps.stable) this.#watch(node);
  }

  /** Resolves once `stop` was called and all have left. */
  async run(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, n) => this.#comeAndGo(n)));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Waits until a node has a mesh slot with each of those that stay; notes it in `failures` if that does not come. */
  async joined(node: SwapNode, failures = this.#neverJoined): Promise<void> {
    const missing = (): string[] =>
      this.#deps.stable
        .filter((other) => other !== node && !isMesh(node, other))
        .map(({ nodeId }) => nodeId.slice(0, 8));
    const isIn = await until(this.#world.clock, JOIN_LIMIT_MS, async () => missing().length === 0);
    if (!isIn) failures.push(`${node.nodeId.slice(0, 8)} without ${missing().join()}`);
  }

  /** A last newcomer; gives how long it took to grow into the mesh. */
  async oneMore(): Promise<number> {
    const startedMs = this.#world.clock.monotonic();
    await this.joined(await this.#world.start('last', [this.#deps.anchor]));
    return this.#world.clock.monotonic() - startedMs;
  }

  report() {
    const joins = this.#joinMs.toSorted((a, b) => a - b);
    return {
      joined: joins.length,
      neverJoined: this.#neverJoined,
      lateReturns: this.#lateReturns,
      joinMsMedian: Math.round(joins[joins.length >> 1] ?? 0),
      joinMsMax: Math.round(joins.at(-1) ?? 0),
      /** Connections that ended because one side left. */
      ended: this.#ended,
      /** Of two made at the same time one stays. */
      superseded: this.#superseded,
      /** Made for a slot that was not given, as to one who is back before its old connection is known to be gone. */
      refused: this.#refused,
      dropped: this.#dropped,
    };
  }

  /** Every second time the same installation returns. */
  async #comeAndGo(churner: number): Promise<void> {
    const { clock } = this.#world;
    for (let visit = 0; !this.#stopped; visit++) {
      const startedMs = clock.monotonic();
      const node = await this.#world.start(`churner ${churner}.${visit >> 1}`, [this.#deps.anchor]);
      // Who dialled it in vain while it was away leaves it alone for half an hour, and so may it those who were off.
      await this.joined(node, visit % 2 === 0 ? this.#neverJoined : this.#lateReturns);
      this.#joinMs.push(clock.monotonic() - startedMs);
      await clock.sleep(this.#deps.stayMs);
      this.#leftAtMs.set(node.nodeId, clock.now());
      await node.stop();
    }
  }

  #watch(node: SwapNode): void {
    const watching = node.bus.all().subscribe(({ topic, event }) => {
      if (topic !== 'connection/closed') return;
      const closed = event as ConnectionInfo & { reason: string; byPeer: boolean };
      const { peer, connectedAtMs, reason, byPeer, kind, direction } = closed;
      if ((this.#leftAtMs.get(peer.nodeId) ?? -1) >= connectedAtMs) this.#ended++;
      else if (node.network.connectionsOf(peer.nodeId).length > 0) this.#superseded++;
      else if (kind === 'session' && reason === 'done') this.#refused++;
      else {
        const ageMs = this.#world.clock.now() - connectedAtMs;
        const who = this.#deps.stable.some(({ nodeId }) => nodeId === peer.nodeId) ? 'one that stays' : 'a churner';
        this.#dropped.push(`${kind} ${direction} to ${who} ${reason} ${byPeer ? 'by it' : 'here'} after ${ageMs} ms`);
      }
    });
    this.#t.teardown(() => watching.unsubscribe());
  }
}

const isMesh = (node: SwapNode, other: SwapNode): boolean =>
  node.network.connectionsOf(other.nodeId).some(({ kind }) => kind === 'mesh');

/** True once `isSo` is, false after the limit. */
export async function until(clock: Clock, limitMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const startedMs = clock.monotonic();
  while (!(await isSo())) {
    if (clock.monotonic() - startedMs > limitMs) return false;
    await clock.sleep(20);
  }
  return true;
}
