import { AMPLIFICATION_MAX } from './amplification-limit.ts';
import { BoundedMap } from '../../sdk/kit/bounded-map.ts';

/** Closed connections remembered; the oldest is forgotten first. About 200 bytes each. */
const REMEMBERED_MAX = 1_024;
/** How often one of them is answered: a lost close is repeated, a flood is not answered. */
const ANSWERS_MAX = 8;

/**
 * The last datagram of connections we closed (RFC 9000 §10.2.1). A peer that missed it and goes on
 * sending is told again, instead of finding out by its idle timeout.
 */
export class ClosingConnections {
  readonly #byRoute = new BoundedMap<string, { bytes: Uint8Array; left: number }>(REMEMBERED_MAX);

  add(route: string, bytes: Uint8Array): void {
    this.#byRoute.set(route, { bytes, left: ANSWERS_MAX });
  }

  /** What to answer to a datagram of so many bytes for this route, if it is one of them: it may come from anywhere. */
  answer(route: string, bytes: number): Uint8Array | undefined {
    const lastWords = this.#byRoute.get(route);
    if (lastWords === undefined || lastWords.bytes.length > AMPLIFICATION_MAX * bytes) return undefined;
    if (lastWords.left-- <= 0) return undefined;
    return lastWords.bytes;
  }
}
