import { Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';
import type { ExchangeBody } from './messages.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { MeshContext } from './context.ts';

/** What we last told peers of ourselves; handed over in a swap. */
export const OwnState = Type.Object({
  revision: Type.Integer(),
  features: Type.Array(Type.String()),
});
export type OwnState = Static<typeof OwnState>;

const ADDRESSES_TOLD = 16;

/** Our half of each exchange. */
export class OwnSide {
  readonly #mesh: MeshContext;
  readonly #nplus10: () => NodeId[];
  #state: OwnState = { revision: 0, features: [] };

  /** `nplus10` names this node and its preferred peers. */
  constructor(mesh: MeshContext, nplus10: () => NodeId[]) {
    this.#mesh = mesh;
    this.#nplus10 = nplus10;
  }

  get state(): OwnState {
    return this.#state;
  }

  restore(state: OwnState): void {
    this.#state = state;
  }

  /** Takes note of what this node offers now, under a new revision when it has changed. */
  refresh(): OwnState {
    const features = [...this.#mesh.network.features()];
    if (features.join() !== this.#state.features.join()) {
      // By the clock, since a mesh that was off begins anew, and peers drop what is older than what they know.
      const revision = Math.max(this.#state.revision + 1, this.#mesh.ctx.clock.now());
      this.#state = { ...this.#state, features, revision };
    }
    return this.#state;
  }

  /** The body for a peer seen at `remoteAddr`, of which `sections` is to know. */
  body(remoteAddr: string, sections: Record<string, unknown>): ExchangeBody {
    const { features, revision } = this.refresh();
    const { network } = this.#mesh;
    return {
      protocol: PROTOCOL_VERSION,
      node_id: network.self.nodeId,
      device_id: network.self.deviceId,
      features,
      features_revision: revision,
      nplus10: this.#nplus10(),
      nat_type: 'unknown',
      // What the peer would not dial on our word is not told: addresses of a LAN stay in it (H5).
      addresses: network
        .localAddresses()
        .filter((address) => network.mayDial(address, remoteAddr))
        .slice(0, ADDRESSES_TOLD),
      your_observed_addr: remoteAddr,
      sections,
    };
  }
}
