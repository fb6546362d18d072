/** RFC 9000 §8.1: bytes that may go to an address for each that came from it, until it is proved. */
export const AMPLIFICATION_MAX = 3;

/**
 * What a server may send to an address that may be somebody else's. quiche has such a limit, but what it sends
 * again after a timeout goes past it; so every datagram is counted here as well.
 */
export class AmplificationLimit {
  #isProved: boolean;
  #left = 0;

  /** `isProved`: whoever we dial is where we look for it, and a client that brought back a token receives where it says. */
  constructor(isProved: boolean) {
    this.#isProved = isProved;
  }

  /** The handshake is complete: the client has read what we sent. */
  prove(): void {
    this.#isProved = true;
  }

  received(bytes: number): void {
    this.#left += AMPLIFICATION_MAX * bytes;
  }

  sent(bytes: number): void {
    this.#left -= bytes;
  }

  /** Whether a datagram of up to so many bytes may leave. */
  allows(bytes: number): boolean {
    return this.#isProved || this.#left >= bytes;
  }
}
