import type { UiClock } from '../clock.ts';
import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import type { Backend } from './backend.ts';
import { problemOf } from './problem.ts';
import { list, numberOr, record } from './post.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

/** Who has set no name yet has no profile, which is no failure. */
function noneYet(error: unknown): undefined {
  if (problemOf(error).code !== 'social/no-profile') throw error;
}

/** What the header shows, and who the user is. */
export interface NodeState {
  readonly nodeId: string;
  readonly deviceId: string;
  readonly connect: readonly string[];
  readonly name: string;
  readonly bio: string;
  readonly uptimeMs: number;
  readonly port: number | undefined;
  readonly peers: number;
  readonly posts: number;
  readonly rssBytes: number;
  /** The present time of the whole screen, so that all relative times agree. */
  readonly nowMs: number;
}

export class NodeInfo {
  readonly state: Store<NodeState>;
  #backend: Backend;
  #clock: UiClock;

  constructor(backend: Backend, clock: UiClock, pace: RedrawPace) {
    this.#backend = backend;
    this.#clock = clock;
    this.state = createStore<NodeState>(
      {
        nodeId: '',
        deviceId: '',
        connect: [],
        name: '',
        bio: '',
        uptimeMs: 0,
        port: undefined,
        peers: 0,
        posts: 0,
        rssBytes: 0,
        nowMs: clock.now(),
      },
      pace,
    );
  }

  /** Reads figures and identity; the profile stays as it was while its plugin is off. */
  async refresh(): Promise<void> {
    this.tick();
    const status = record(await this.#backend.call('status'));
    this.state.set({
      nodeId: safeLine(status.node_id) || this.state.get().nodeId,
      uptimeMs: numberOr(status.uptime_ms, 0),
      port: numberOr(status.port, undefined),
      peers: numberOr(status.peers, 0),
      posts: numberOr(status.posts, 0),
      rssBytes: numberOr(status.rss_bytes, 0),
    });
  }

  async refreshIdentity(): Promise<void> {
    const identity = record(await this.#backend.call('identity.show'));
    this.state.set({
      nodeId: safeLine(identity.node_id),
      deviceId: safeLine(identity.device_id),
      connect: list(identity.connect).map((address) => safeLine(address)),
    });
  }

  async refreshProfile(): Promise<void> {
    const profile = record(await this.#backend.call('profile.show').catch(noneYet));
    this.state.set({ name: safeLine(profile.name, 64), bio: safeLine(profile.bio, 500) });
  }

  tick(): void {
    this.state.set({ nowMs: this.#clock.now() });
  }
}
