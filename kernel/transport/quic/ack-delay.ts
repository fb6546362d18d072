import { BASE_DATAGRAM_BYTES } from './path-mtu-discovery.ts';

/** Full datagrams that one acknowledgement may cover, RFC 9000 §13.2.2, and how long the first of them waits for it. */
const DATAGRAMS_MAX = 32;
const WAIT_MAX_MS = 4;
/** Where a sender's window is small, it stands still until it is acknowledged: from here the number doubles. */
const DATAGRAMS_MIN = 2;
/** What a datagram carries beside the bytes of its streams: header, tag, frame headers, an acknowledgement of ours. */
const OVERHEAD_MAX_BYTES = 96;

/**
 * When the full datagrams that come in are acknowledged: quiche does so whenever it sends, so that this is
 * how long sending may wait. Acknowledging is a third of the work at both ends of a bulk transfer.
 *
 * At once when bytes are missing: datagrams came, and the streams did not grow by what they carried. The
 * number of datagrams that may wait doubles as long as it is reached; a sender whose window is smaller than
 * that runs into the time limit once, and is then acknowledged after two again.
 */
export class AckDelay {
  /** When the datagrams that wait have to be acknowledged, on the monotonic clock. */
  dueAt = Number.POSITIVE_INFINITY;
  #limit = DATAGRAMS_MIN;
  #waiting = 0;
  #receivedBytes = 0;
  #readBytes = 0;

  /** Whether a datagram of this size is part of a bulk transfer; smaller ones are answered in their turn. */
  isBulk(bytes: number): boolean {
    return bytes >= BASE_DATAGRAM_BYTES;
  }

  /** A bulk datagram came in. True: enough of them wait, to be acknowledged now. */
  received(bytes: number, now: number): boolean {
    if (this.#waiting === 0) this.dueAt = now + WAIT_MAX_MS;
    this.#receivedBytes += bytes;
    return ++this.#waiting >= DATAGRAMS_MAX;
  }

  /** Bytes of a stream were read. */
  read(bytes: number): void {
    this.#readBytes += bytes;
  }

  /** All that came in this turn has been read. True: its acknowledgement may wait until `dueAt`. */
  mayWait(now: number): boolean {
    if (this.#waiting === 0 || this.#waiting >= this.#limit || now >= this.dueAt) return false;
    return this.#receivedBytes - this.#readBytes <= this.#waiting * OVERHEAD_MAX_BYTES;
  }

  /** Something was sent, and the acknowledgement with it. */
  sent(now: number): void {
    if (this.#waiting >= this.#limit) this.#limit = Math.min(DATAGRAMS_MAX, this.#limit * 2);
    else if (now >= this.dueAt) this.#limit = DATAGRAMS_MIN;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#waiting = this.#receivedBytes = this.#readBytes = 0;
  }
}
