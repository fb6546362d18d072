import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import type { TransportStream } from '../transport.ts';
import { waitingOpens } from '../waiting.ts';

type Kind = 'bi' | 'uni';

/** The streams we open on one connection: their ids, the peer's limits, and who waits for them. */
export class StreamOpens {
  readonly #queues = { bi: waitingOpens(), uni: waitingOpens() };
  /** How many we opened and may open in all. The first uni-stream is the control stream. */
  readonly #opened = { bi: 0, uni: 1 };
  readonly #allowed = { bi: 0, uni: 0 };
  /** How many quiche knows: those up to the last that was written to. */
  readonly #known = { bi: 0, uni: 1 };
  readonly #ourBit: number;
  readonly #make: (id: number) => TransportStream;

  constructor(direction: 'inbound' | 'outbound', make: (id: number) => TransportStream) {
    this.#ourBit = direction === 'inbound' ? 1 : 0;
    this.#make = make;
  }

  /** @throws transport/too-many-streams when too many wait already */
  open(native: NativeConnection, kind: Kind, signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    if (this.#queues[kind].size === 0 && this.#mayOpen(native, kind)) return this.#next(kind);
    return this.#queues[kind].wait(signal);
  }

  /** Serves those who wait as far as the peer's limits have risen. */
  serve(native: NativeConnection): void {
    for (const kind of ['bi', 'uni'] as const) {
      const queue = this.#queues[kind];
      while (queue.size > 0 && this.#mayOpen(native, kind)) queue.next(this.#next(kind));
    }
  }

  becameKnown({ id }: TransportStream): void {
    const kind = (id & 0x2) === 0 ? 'bi' : 'uni';
    this.#known[kind] = Math.max(this.#known[kind], (id >> 2) + 1);
  }

  rejectAll(reason: unknown): void {
    this.#queues.bi.refuseAll(reason);
    this.#queues.uni.refuseAll(reason);
  }

  #mayOpen(native: NativeConnection, kind: Kind): boolean {
    if (this.#opened[kind] < this.#allowed[kind]) return true;
    const left = kind === 'bi' ? native.peerStreamsLeftBidi() : native.peerStreamsLeftUni();
    this.#allowed[kind] = this.#known[kind] + left;
    return this.#opened[kind] < this.#allowed[kind];
  }

  /** RFC 9000 §2.1: the two low bits of an id say who opened the stream, and its kind. */
  #next(kind: Kind): TransportStream {
    return this.#make(this.#opened[kind]++ * 4 + (kind === 'uni' ? 2 : 0) + this.#ourBit);
  }
}
