import { codeOf, peerKey, Type } from '../../kernel/index.ts';
import type { PeerId, Static } from '../../kernel/index.ts';
import type { RoutingContext } from './context.ts';
import type { RoutingPeer, RoutingPeers } from './contract.ts';
import { nodeListUpdate, PACKED_IDS } from './messages.ts';
import type { NodeLists } from './messages.ts';
import type { OwnShare, ShareDiff } from './own-share.ts';

/** How often changes of N1 and N2 are told to peers (CYC-02). */
export const DIFF_EVERY_MS = 120_000;
/** How often the whole lists are told, so that a lost diff heals (CYC-10). */
export const WHOLE_EVERY_MS = 4 * 3_600_000;
/** While N1 keeps changing, peers hear of it at this interval. */
export const CHANGE_SPACING_MS = 10_000;
/** Changes of one moment go out together. */
const GATHER_MS = 50;
/** A peer gets the whole lists on its own request at most this often. */
const RESYNC_EVERY_MS = 60_000;

/** What a peer was told last; handed over in a swap. */
export const Told = Type.Object({ revision: Type.Integer(), wholeAtMs: Type.Number() });
type Told = Static<typeof Told>;

interface BroadcastDeps {
  readonly routing: RoutingContext;
  readonly peers: RoutingPeers;
  readonly share: OwnShare;
  /** Takes note of what is to be shared at this moment. */
  publish(): ShareDiff;
}

/** Tells peers our lists: a diff on change and every 120 s, all of it to who lacks the diff's base. */
export class Broadcast {
  readonly #deps: BroadcastDeps;
  /** By peer; those who are no peers any more are taken out by {@link forget}. */
  readonly #told = new Map<string, Told>();
  #lastAtMs = -Infinity;
  #changed = false;
  #gathering = false;

  constructor(deps: BroadcastDeps) {
    this.#deps = deps;
  }

  /** The handshake told this peer the lists of now. */
  toldAll(peer: PeerId): void {
    const wholeAtMs = this.#deps.routing.ctx.clock.now();
    this.#told.set(peerKey(peer), { revision: this.#deps.share.revision, wholeAtMs });
  }

  forget(peer: PeerId): void {
    this.#told.delete(peerKey(peer));
  }

  snapshot(): Record<string, Told> {
    return Object.fromEntries(this.#told);
  }

  restore(told: Readonly<Record<string, Told>>): void {
    for (const [peer, last] of Object.entries(told)) this.#told.set(peer, last);
  }

  /** N1 has changed: peers hear of it at once after a quiet spell, else with the next {@link tick} that may. */
  changed(): void {
    this.#changed = true;
    const { ctx } = this.#deps.routing;
    if (this.#gathering || ctx.clock.now() - this.#lastAtMs < CHANGE_SPACING_MS) return;
    this.#gathering = true;
    this.#deps.routing.ctx.background(
      'lists-on-change',
      ctx.clock.sleep(GATHER_MS, ctx.signal).then(() => {
        this.#gathering = false;
        this.all();
      }),
    );
  }

  /** Called every few seconds. */
  tick(): void {
    const since = this.#deps.routing.ctx.clock.now() - this.#lastAtMs;
    if (since >= DIFF_EVERY_MS || (this.#changed && since >= CHANGE_SPACING_MS)) this.all();
  }

  /** Tells everybody what is new. */
  all(): void {
    const { routing, peers, share, publish } = this.#deps;
    this.#changed = false;
    this.#lastAtMs = routing.ctx.clock.now();
    const diff = publish();
    const bodies = new Map<string, NodeLists>();
    for (const peer of peers.peers()) {
      if (!peer.routes) continue;
      const told = this.#told.get(peerKey(peer.peer));
      const whole =
        told === undefined ||
        this.#lastAtMs - told.wholeAtMs >= WHOLE_EVERY_MS ||
        (told.revision !== diff.base && told.revision !== share.revision);
      this.#send(peer, whole ? 'whole' : told.revision === diff.base ? 'diff' : 'nothing-new', diff, bodies);
    }
  }

  /** Tells a peer all there is, if it has not been told; on its own request also if it has. */
  one(peer: RoutingPeer, onRequest: boolean): void {
    const told = this.#told.get(peerKey(peer.peer));
    const age = told === undefined ? Infinity : this.#deps.routing.ctx.clock.now() - told.wholeAtMs;
    if (!peer.routes || age < (onRequest ? RESYNC_EVERY_MS : WHOLE_EVERY_MS)) return;
    // What changed meanwhile is new to the others as well, so it waits for the next notice to all.
    const { revision } = this.#deps.share;
    const none = { added: [], removed: [] };
    this.#send(peer, 'whole', { base: revision, n1: none, n2: none }, new Map());
  }

  /** Asks a peer for its whole lists. */
  ask(peer: RoutingPeer): void {
    const { revision } = this.#deps.share;
    this.#deps.routing.ctx.counters.add('lists-asked');
    this.#post(peer, { revision, base: revision, resync: true });
  }

  #send(
    peer: RoutingPeer,
    form: 'whole' | 'diff' | 'nothing-new',
    diff: ShareDiff,
    bodies: Map<string, NodeLists>,
  ): void {
    const { share, routing } = this.#deps;
    const packed = peer.features.includes(PACKED_IDS);
    const key = `${form}/${packed}`;
    let body = bodies.get(key);
    if (body === undefined) {
      const none = { added: [], removed: [] };
      if (form === 'whole') body = share.whole(packed);
      else body = share.diff(form === 'diff' ? diff : { base: share.revision, n1: none, n2: none }, packed);
      bodies.set(key, body);
    }
    const told = this.#told.get(peerKey(peer.peer));
    const now = routing.ctx.clock.now();
    this.#told.set(peerKey(peer.peer), {
      revision: share.revision,
      wholeAtMs: form === 'whole' ? now : (told?.wholeAtMs ?? now),
    });
    routing.ctx.counters.add(`lists-sent.${form}`);
    this.#post(peer, body);
  }

  #post({ peer, features }: RoutingPeer, body: NodeLists): void {
    if (!features.includes(nodeListUpdate.name)) return;
    const { ctx } = this.#deps.routing;
    const sending = ctx.send(peer, nodeListUpdate, body, { signal: ctx.signal }).catch((error) => {
      ctx.counters.add(`lists-not-sent.${codeOf(error)}`);
      // Whoever missed one gets the whole lists next time.
      this.#told.delete(peerKey(peer));
    });
    ctx.background('lists', sending);
  }
}
