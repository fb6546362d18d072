import type { Clock } from '../sdk/clock.ts';
import type { NodeId } from '../sdk/identifiers.ts';
import type { Transport } from '../transport/transport.ts';

/** Dials noted; later ones are not. */
const DIALS_MAX = 100_000;

export interface Dial {
  readonly from: NodeId;
  /** Hosts in the order they are tried, joined by commas. */
  readonly to: string;
  readonly atMs: number;
}

/** What the nodes of a network dialled, in order. */
export class DialLog {
  readonly noted: Dial[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same transport, whose dials are noted. */
  noting(transport: Transport): Transport {
    return {
      open: async (options) => {
        const endpoint = await transport.open(options);
        const dial = endpoint.dial.bind(endpoint);
        endpoint.dial = (target, signal) => {
          const to = target.addresses.map(({ host }) => host).join();
          const { nodeId: from } = options.credentials.self;
          if (this.noted.length < DIALS_MAX) this.noted.push({ from, to, atMs: this.#clock.now() });
          return dial(target, signal);
        };
        return endpoint;
      },
    };
  }
}
