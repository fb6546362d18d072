import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '../../sdk/clock.ts';
import { RateLimiter } from '../../sdk/kit/rate-limiter.ts';
import { addressBlocks } from '../address-blocks.ts';
import type { TransportLimits, SocketAddress } from '../transport.ts';

/** Sources remembered; the one not seen for longest is forgotten, and starts with a full budget. */
const SOURCES_MAX = 4_096;
/** A second's worth may come at once, and at least this many. */
const BURST_MIN = 10;
/** How long a client may take to come back with its token: one round trip, generously. */
const TOKEN_MS = 10_000;
const TIME_BYTES = 6;
const MAC_BYTES = 16;
/** The part of an address's share of handshakes under way that needs no proof of the address. */
const UNPROVED_PART = 1 / 4;
/** What a block whose connections are all taken gets of its rate: whoever is let in from there is known to us. */
const FULL_PART = 1 / 5;
/** Of any address: a rate of handshakes suits a private one as well. */
const blocksOf = addressBlocks([]);

/** Handshakes that others have begun and not ended. */
export interface HandshakesUnderWay {
  readonly pending: number;
  /** The part of its share that this address has used up; 1 is all of it. */
  pendingShareOf(source: SocketAddress): number;
  /** The same of open connections, when only somebody we know is let in from there. */
  openShareOf(source: SocketAddress): number;
}

/**
 * Decides what an Initial packet may cost us before any cryptography is done for it: handshakes per
 * source, how many may be under way, and when a client must first prove that it receives at the
 * address it claims (RFC 9000 §8.1.2).
 */
export class HandshakeLimiter {
  readonly #perSource: RateLimiter<string>;
  /** By IPv6 /48, which has many. */
  readonly #perSite: RateLimiter<string>;
  /** By the widest block of those whose connections are all taken. */
  readonly #perFull: RateLimiter<string>;
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #limits: TransportLimits;

  constructor(limits: TransportLimits, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#key = random.bytes(32);
    const perSecond = limits.handshakesPerSecondPerIp;
    const burst = Math.max(BURST_MIN, perSecond);
    this.#perSource = new RateLimiter({ clock, perSecond, burst, keysMax: SOURCES_MAX });
    this.#perFull = new RateLimiter({
      clock,
      perSecond: perSecond * FULL_PART,
      burst: burst * FULL_PART,
      keysMax: SOURCES_MAX,
    });
    this.#perSite = new RateLimiter({ clock, perSecond: 4 * perSecond, burst: 4 * burst, keysMax: SOURCES_MAX });
  }

  /** `validated`: the Initial carried a good token. Takes one handshake of the source's budget unless it says retry. */
  judge(
    source: SocketAddress,
    underWay: HandshakesUnderWay,
    validated: boolean,
  ): 'accept' | 'retry' | 'over-budget' | 'over-share' | 'too-many-pending' {
    if (underWay.pending >= this.#limits.maxPendingHandshakes) return 'too-many-pending';
    if (!validated && underWay.pending >= this.#limits.retryAbovePendingHandshakes) return 'retry';
    const used = underWay.pendingShareOf(source);
    // Whoever writes the address of another onto his packets must not use up that one's share.
    const isFull = underWay.openShareOf(source) >= 1;
    if (!validated && (isFull || used >= UNPROVED_PART)) return 'retry';
    if (used >= 1) return 'over-share';
    const [own, site = own] = blocksOf(source.host).map(({ name }) => name) as [string, string?];
    if (isFull && !this.#perFull.take(site)) return 'over-budget';
    if (!this.#perSource.allows(own) || (site !== own && !this.#perSite.take(site))) return 'over-budget';
    return this.#perSource.take(own) ? 'accept' : 'over-budget';
  }

  /** A token that only a client receiving at `source` can bring back, for the connection ids of this Retry. */
  mintToken(source: SocketAddress, originalCid: Uint8Array, retryCid: Uint8Array): Uint8Array {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUIntBE(this.#clock.now(), 0, TIME_BYTES);
    return Buffer.concat([time, originalCid, this.#mac(time, source, originalCid, retryCid)]);
  }

  /** The client's original connection id, or undefined when the token is not good for this packet. */
  checkToken(token: Uint8Array, source: SocketAddress, retryCid: Uint8Array): Uint8Array | undefined {
    if (token.length <= TIME_BYTES + MAC_BYTES) return undefined;
    const time = Buffer.from(token.subarray(0, TIME_BYTES));
    const originalCid = token.subarray(TIME_BYTES, token.length - MAC_BYTES);
    const mac = token.subarray(token.length - MAC_BYTES);
    if (!timingSafeEqual(mac, this.#mac(time, source, originalCid, retryCid))) return undefined;
    const ageMs = this.#clock.now() - time.readUIntBE(0, TIME_BYTES);
    return ageMs >= 0 && ageMs <= TOKEN_MS ? originalCid : undefined;
  }

  #mac(time: Uint8Array, source: SocketAddress, originalCid: Uint8Array, retryCid: Uint8Array): Uint8Array {
    const hmac = createHmac('sha256', this.#key);
    // Every field but one has a fixed length or a separator, so no two inputs read the same.
    hmac
      .update(time)
      .update(`${source.host}|${source.port}|${originalCid.length}|`)
      .update(originalCid)
      .update(retryCid);
    return hmac.digest().subarray(0, MAC_BYTES);
  }
}
