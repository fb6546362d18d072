import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Backend } from './backend.ts';
import { readBadge, type ReachBadge } from './peer.ts';
import { list, numberOr, record } from './post.ts';
import { problemOf } from './problem.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

type Fields = Record<string, unknown>;

/** What the mesh knows of a node: `peer reach` and `peer explain`. */
export interface PeerFacts {
  readonly reach: ReachBadge;
  readonly n2Reporters: number;
  readonly n3Reporters: number;
  readonly verdict: string;
  readonly addresses: readonly string[];
  readonly lastAttempt: { readonly atMs: number; readonly result: string } | undefined;
  readonly lastClose: { readonly atMs: number; readonly reason: string } | undefined;
}

export interface PeerCardState {
  readonly nodeId: string;
  /** `undefined` while they are read, and while their plugin is off. */
  readonly facts: PeerFacts | undefined;
  /** The plugin that would know, and is off. */
  readonly off: string | undefined;
}

/** The peer card that is open: one at a time. */
export class PeerCard {
  readonly state: Store<PeerCardState>;
  #backend: Backend;

  constructor(backend: Backend, pace: RedrawPace) {
    this.#backend = backend;
    this.state = createStore<PeerCardState>({ nodeId: '', facts: undefined, off: undefined }, pace);
  }

  /** Reads the card of this node. @throws what `peer reach` threw, but for its plugin being off */
  async load(nodeId: string): Promise<void> {
    if (this.state.get().nodeId !== nodeId) this.state.set({ nodeId, facts: undefined, off: undefined });
    try {
      const [reach, explained] = await Promise.all([
        this.#backend.call('peer.reach', { node_id: nodeId }).then(record),
        // Of a node that mesh never met there is nothing to explain.
        this.#backend.call('peer.explain', { node_id: nodeId }).then(record, () => ({}) as Fields),
      ]);
      // Another card may have been opened meanwhile.
      if (this.state.get().nodeId === nodeId) this.state.set({ facts: readFacts(reach, explained), off: undefined });
    } catch (error) {
      const off = this.#backend.pluginOff(problemOf(error), 'peer.reach');
      if (off === undefined) throw error;
      if (this.state.get().nodeId === nodeId) this.state.set({ facts: undefined, off });
    }
  }
}

function readFacts(reach: Fields, explained: Fields): PeerFacts {
  const attempt = record(list(explained.attempts).at(-1));
  const close = record(explained.last_close);
  const attemptMs = numberOr(attempt.at_ms, undefined);
  const closeMs = numberOr(close.at_ms, undefined);
  return {
    reach: readBadge(reach.reach),
    n2Reporters: list(reach.n2_reporters).length,
    n3Reporters: list(reach.n3_reporters).length,
    verdict: safeLine(explained.verdict),
    addresses: list(explained.addresses)
      .slice(0, 8)
      .map((address) => safeLine(address, 64)),
    lastAttempt: attemptMs === undefined ? undefined : { atMs: attemptMs, result: safeLine(attempt.result, 60) },
    lastClose: closeMs === undefined ? undefined : { atMs: closeMs, reason: safeLine(close.reason, 60) },
  };
}
