import { networkInterfaces } from 'node:os';
import { readFileSync } from 'node:fs';
import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import type { Clock, Random, TimerHandle } from '../../sdk/clock.ts';
import type { Counters } from '../../sdk/log.ts';
import { classifyAddress } from '../address.ts';
import { PATH_PROBE } from '../demultiplex.ts';
import type { SocketAddress } from '../transport.ts';
import { CID_BYTES } from './config.ts';
import type { DatagramPath } from './datagram-path.ts';
import { roundTripMs } from './native-state.ts';

/** RFC 9000 §14.1: what every QUIC path must carry. */
export const BASE_DATAGRAM_BYTES = 1_200;
/** quiche writes the length of a stream frame in two bytes, 14 bits of which count. */
const QUICHE_MAX_BYTES = 16_383;
/** Ethernet less IPv6 and UDP headers; the sizes below are tried together, the largest answered wins. */
const CANDIDATES = [QUICHE_MAX_BYTES, 8_952, 1_452, 1_350] as const;
const LOOPBACK_UNIT_BYTES = 65_507;
const HEADER_BYTES = { 4: 28, 6: 48 } as const;

const QUESTION = 1;
const ANSWER = 2;
/** `PATH_PROBE`, kind, connection id of the receiver, nonce, size; a question is padded to that size. */
export const PROBE_HEADER_BYTES = 4 + CID_BYTES + 8;

/** A connection that filled this many datagrams is worth probing for. */
const BULK_DATAGRAMS = 4;
const SEARCH_TRIES = 3;
/** At 30 % random loss each way all of them fail in 1.4 % of the checks; then the path is searched again. */
const VERIFY_TRIES = 6;
const SEARCH_AGAIN_MS = 10_000;
const LOSS_CHECK_MS = 500;
const TRY_MIN_MS = 50;

/** The connection whose path is probed. */
export interface PathProbeDelegate {
  /** Undefined once the connection has ended. */
  readonly native: NativeConnection | undefined;
  readonly path: DatagramPath;
  /** There is something to send. */
  touch(): void;
}

/** What probing needs of the endpoint. */
export interface PathProbeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: Counters;
}

/**
 * Finds how large a datagram the path carries and notices when that shrinks (RFC 8899 in small).
 *
 * Everything starts at 1,200 bytes. Once a connection sends in bulk, padded probes ask whether larger
 * ones arrive; a larger size is used only after its own probe was answered. When quiche loses packets,
 * the size in use is asked again, and if no answer comes it falls back to 1,200: quiche then sends the
 * lost bytes again in smaller packets. A question is answered with 22 bytes and only on a live
 * connection, so it amplifies nothing.
 */
export class PathMtuDiscovery {
  bytes = BASE_DATAGRAM_BYTES;

  readonly #connection: PathProbeDelegate;
  readonly #deps: PathProbeDeps;
  readonly #candidates: readonly number[];
  #peerCid: Uint8Array | undefined;
  #full = 0;
  #timer: TimerHandle | undefined;
  /** Answered sizes carry the nonce of this search, so that nobody off the path can answer. */
  #nonce: Buffer = Buffer.alloc(8);
  #answered = false;
  #nextSearchAt = 0;
  #nextLossCheckAt = 0;
  #lostBefore = 0;

  constructor(connection: PathProbeDelegate, maxBytes: number, deps: PathProbeDeps) {
    this.#connection = connection;
    this.#deps = deps;
    this.#candidates = CANDIDATES.filter((size) => size <= maxBytes);
  }

  opened(): void {
    const cid = this.#connection.native?.destinationId();
    if (cid?.length === CID_BYTES) this.#peerCid = cid;
  }

  /** A datagram of the full present size went out. */
  sentFull(): void {
    if (++this.#full < BULK_DATAGRAMS || this.#timer !== undefined || this.#peerCid === undefined) return;
    const now = this.#deps.clock.monotonic();
    if (this.bytes < (this.#candidates[0] ?? 0) && now >= this.#nextSearchAt) {
      this.#ask(
        this.#candidates.filter((size) => size > this.bytes),
        SEARCH_TRIES,
        () => {
          this.#nextSearchAt = this.#deps.clock.monotonic() + SEARCH_AGAIN_MS;
        },
      );
    } else if (this.bytes > BASE_DATAGRAM_BYTES && now >= this.#nextLossCheckAt) {
      this.#nextLossCheckAt = now + LOSS_CHECK_MS;
      const lost = this.#connection.native?.stats().lost ?? 0;
      if (lost > this.#lostBefore) this.#verify();
      this.#lostBefore = lost;
    }
  }

  /** quiche's loss timer fired: nothing was acknowledged for longer than it should take. */
  lossTimeout(): void {
    if (this.bytes > BASE_DATAGRAM_BYTES && this.#timer === undefined) this.#verify();
  }

  /** A probe for this connection came in. */
  receive(datagram: Uint8Array): void {
    const kind = datagram[1];
    const size = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0);
    const nonce = datagram.subarray(4 + CID_BYTES, PROBE_HEADER_BYTES);
    // A dialler's first flight may have bulk and a question in it, which come before we have read its Hello.
    if (this.#peerCid === undefined) this.opened();
    if (kind === QUESTION && size === datagram.length && this.#peerCid !== undefined) {
      this.#connection.path.send(this.#probe(ANSWER, size, nonce, PROBE_HEADER_BYTES), PROBE_HEADER_BYTES);
    } else if (
      kind === ANSWER &&
      this.#timer !== undefined &&
      this.#nonce.equals(nonce) &&
      this.#candidates.includes(size)
    ) {
      if (size > this.bytes) this.bytes = size;
      if (size === this.bytes) this.#answered = true;
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #verify(): void {
    if (this.#peerCid === undefined) return;
    this.#ask([this.bytes], VERIFY_TRIES, (answered) => {
      if (answered) return;
      this.bytes = BASE_DATAGRAM_BYTES;
      this.#nextSearchAt = this.#deps.clock.monotonic() + SEARCH_AGAIN_MS;
      this.#deps.counts.add('path-shrunk');
      this.#connection.touch();
    });
  }

  /** Asks for these sizes until the largest is answered or the tries are used up. */
  #ask(sizes: readonly number[], tries: number, done: (answered: boolean) => void): void {
    this.#nonce = Buffer.from(this.#deps.random.bytes(8));
    this.#answered = false;
    const { native } = this.#connection;
    const rttMs = (native && roundTripMs(native)) ?? 0;
    let left = tries;
    const round = (): void => {
      if (this.#connection.native === undefined) return;
      if (left-- === 0 || (this.#answered && this.bytes >= (sizes[0] ?? 0))) {
        this.#timer = undefined;
        done(this.#answered);
        return;
      }
      for (const size of sizes) {
        if (!this.#answered || size > this.bytes)
          this.#connection.path.send(this.#probe(QUESTION, size, this.#nonce, size), size);
      }
      this.#timer = this.#deps.clock.timer(Math.max(TRY_MIN_MS, rttMs * 1.5), round);
    };
    round();
  }

  #probe(kind: number, size: number, nonce: Uint8Array, length: number): Uint8Array {
    const datagram = Buffer.alloc(length);
    datagram[0] = PATH_PROBE;
    datagram[1] = kind;
    datagram.writeUInt16BE(size, 2);
    datagram.set(this.#peerCid ?? [], 4);
    datagram.set(nonce, 4 + CID_BYTES);
    return datagram;
  }
}

/**
 * The most a path to this remote may carry without IP fragmentation. The system would split a datagram
 * over its own interface's MTU without telling us, and a probe cannot see that; so the MTU bounds the
 * candidates where the system shows it, and elsewhere we stay at what any usual link carries.
 */
export function largestDatagram(remote: SocketAddress): number {
  const kind = classifyAddress(remote.host);
  if (kind === 'loopback') return QUICHE_MAX_BYTES;
  const mtu = interfaceMtu();
  const fits = mtu === undefined ? 1_350 : Math.max(BASE_DATAGRAM_BYTES, mtu - HEADER_BYTES[remote.family]);
  return Math.min(fits, kind === 'private' || kind === 'link-local' ? 8_952 : 1_452);
}

/**
 * On a real path the window counts in datagrams. Within one machine there is no queue to protect, and
 * two datagrams a round trip, quiche's least, would be slow for no reason.
 */
export function windowUnit(remote: SocketAddress): number {
  return classifyAddress(remote.host) === 'loopback' ? LOOPBACK_UNIT_BYTES : largestDatagram(remote);
}

/** Not within one machine, nor within a LAN. */
export function isLong(remote: SocketAddress): boolean {
  return !['loopback', 'private', 'link-local'].includes(classifyAddress(remote.host));
}

let knownMtu: { readonly value: number | undefined } | undefined;

/** Smallest MTU of the interfaces that carry an address, loopback apart; undefined where the system does not show it. */
function interfaceMtu(): number | undefined {
  knownMtu ??= { value: readInterfaceMtu() };
  return knownMtu.value;
}

function readInterfaceMtu(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const names = Object.entries(networkInterfaces()).filter(([, addresses]) =>
    addresses?.some(({ internal }) => !internal),
  );
  const sizes = names.map(([name]) => {
    try {
      return Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8'));
    } catch {
      return Number.NaN;
    }
  });
  return sizes.length > 0 && sizes.every((size) => size > 0) ? Math.min(...sizes) : undefined;
}
