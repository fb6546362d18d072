import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '../../sdk/clock.ts';
import { RateLimiter } from '../../sdk/kit/rate-limiter.ts';
import type { TransportLimits, SocketAddress } from '../transport.ts';

/** Sources remembered; the one not seen for longest is forgotten, and starts with a full budget. */
const SOURCES_MAX = 4_096;
/** A second's worth may come at once, and at least this many. */
const BURST_MIN = 10;
/** How long a client may take to come back with its token: one round trip, generously. */
const TOKEN_MS = 10_000;
const TIME_BYTES = 6;
const MAC_BYTES = 16;

/**
 * Decides what an Initial packet may cost us before any cryptography is done for it: handshakes per
 * source, how many may be under way, and when a client must first prove that it receives at the
 * address it claims (RFC 9000 §8.1.2).
 */
export class HandshakeLimiter {
  readonly #perSource: RateLimiter<string>;
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #limits: TransportLimits;

  constructor(limits: TransportLimits, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#key = random.bytes(32);
    const perSecond = limits.handshakesPerSecondPerIp;
    this.#perSource = new RateLimiter({
      clock,
      perSecond,
      burst: Math.max(BURST_MIN, perSecond),
      keysMax: SOURCES_MAX,
    });
  }

  /** `validated`: the Initial carried a good token. Takes one handshake of the source's budget unless it says retry. */
  judge(
    source: SocketAddress,
    pending: number,
    validated: boolean,
  ): 'accept' | 'retry' | 'over-budget' | 'too-many-pending' {
    if (pending >= this.#limits.maxPendingHandshakes) return 'too-many-pending';
    if (!validated && pending >= this.#limits.retryAbovePendingHandshakes) return 'retry';
    return this.#perSource.take(sourceKey(source)) ? 'accept' : 'over-budget';
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

/** One customer usually holds a whole IPv6 /64. */
function sourceKey({ host, family }: SocketAddress): string {
  if (family === 4) return host;
  const [head = '', tail] = host.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array<string>(zeros).fill('0'), ...back].slice(0, 4).join(':');
}
