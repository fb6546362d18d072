import { Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';
import type { SlotFields } from './api.ts';
import type { PeersContext } from './context.ts';
import type { Hello } from './messages.ts';
import { PROTOCOL_VERSION } from './messages.ts';

/** What we last told peers of ourselves; handed over in a swap. */
export const TellState = Type.Object({
  revision: Type.Integer(),
  features: Type.Array(Type.String()),
});
export type TellState = Static<typeof TellState>;

const ADDRESSES_TOLD = 16;

/** Our half of each handshake. */
export class LocalHello {
  readonly #peers: PeersContext;
  #state: TellState = { revision: 0, features: [] };

  constructor(peers: PeersContext) {
    this.#peers = peers;
  }

  get state(): TellState {
    return this.#state;
  }

  restore(state: TellState): void {
    this.#state = state;
  }

  /** Takes note of what this node offers now, under a new revision when it has changed. */
  refresh(): TellState {
    const features = [...this.#peers.network.features()];
    if (features.join() !== this.#state.features.join()) {
      // By the clock, since a plugin that was off begins anew, and peers drop what is older than what they know.
      const revision = Math.max(this.#state.revision + 1, this.#peers.ctx.clock.now());
      this.#state = { ...this.#state, features, revision };
    }
    return this.#state;
  }

  /** The body for a peer seen at `remoteAddr`, which is to know `parts`. */
  body(remoteAddr: string, parts: Record<string, unknown>, slot: SlotFields): Hello {
    const { features, revision } = this.refresh();
    const { network } = this.#peers;
    const { nplus10, ...asks } = slot;
    return {
      protocol: PROTOCOL_VERSION,
      node_id: network.self.nodeId,
      device_id: network.self.deviceId,
      features,
      features_revision: revision,
      nplus10: [...nplus10],
      nat_type: 'unknown',
      // What the peer would not dial on our word is not told: addresses of a LAN stay in it (H5).
      addresses: network
        .localAddresses()
        .filter((address) => network.mayDial(address, remoteAddr))
        .slice(0, ADDRESSES_TOLD),
      your_observed_addr: remoteAddr,
      sections: parts,
      ...asks,
    };
  }
}
