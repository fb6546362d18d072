import { codeOf, peerKey } from '../../kernel/index.ts';
import type { Counters, PeerId } from '../../kernel/index.ts';

/** Devices owed a notice at once: all connections a node can have. */
const OWED_MAX = 2_000;

/**
 * Notices that are on their way to connected peers. What a swap interrupts is still owed, and the next
 * generation sends it; who disconnects is told by the handshake when it is back.
 */
export class Outbox {
  readonly #send: (peer: PeerId) => Promise<unknown>;
  readonly #counters: Counters;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #owed = new Map<string, PeerId>();

  constructor(
    name: string,
    send: (peer: PeerId) => Promise<unknown>,
    deps: { counters: Counters; signal: AbortSignal },
  ) {
    this.#name = name;
    this.#send = send;
    this.#counters = deps.counters;
    this.#signal = deps.signal;
  }

  get size(): number {
    return this.#owed.size;
  }

  owed(): PeerId[] {
    return [...this.#owed.values()];
  }

  /** Sends what is true at the time of sending, so a later change needs no earlier one. */
  tell(peer: PeerId): void {
    if (this.#owed.size >= OWED_MAX) {
      this.#counters.add(`${this.#name}-dropped`);
      return;
    }
    const key = peerKey(peer);
    this.#owed.set(key, peer);
    const done = (): void => {
      if (this.#owed.get(key) === peer) this.#owed.delete(key);
    };
    this.#send(peer).then(
      () => {
        this.#counters.add(`${this.#name}-sent`);
        done();
      },
      (error) => {
        if (this.#signal.aborted) return;
        this.#counters.add(`${this.#name}-failed.${codeOf(error)}`);
        done();
      },
    );
  }
}
