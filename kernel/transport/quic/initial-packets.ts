import quiche from '@matrixai/quic/native/quiche.js';
import type { Header } from '@matrixai/quic/native/types.js';
import type { Random } from '../../sdk/clock.ts';
import type { Counters } from '../../sdk/log.ts';
import { CID_BYTES } from './config.ts';
import type { DatagramPath } from './datagram-path.ts';
import type { HandshakeLimiter, HandshakesUnderWay } from './handshake-limiter.ts';
import type { SendBuffer } from './udp-socket.ts';

/** RFC 9000 §14.1: a server ignores Initial packets in smaller datagrams. */
const INITIAL_MIN_BYTES = 1_200;
/** quiche's `Type.Initial`; its enum object is created by the native module. */
const INITIAL = 0;

export interface InitialPacketsDeps {
  readonly limiter: HandshakeLimiter;
  readonly random: Random;
  readonly counts: Counters;
  readonly sendBuffer: SendBuffer;
}

/** A client that may have a connection. */
export interface AcceptedInitial {
  /** Our connection id for it. */
  readonly cid: Uint8Array;
  /** The id the client made up, when a Retry has replaced it. */
  readonly original: Uint8Array | undefined;
}

/**
 * Judges long-header packets that belong to no connection: somebody may want one. Answers with a
 * version negotiation or a Retry itself; nothing is kept for anybody before the limiter agrees.
 */
export class InitialPackets {
  readonly #deps: InitialPacketsDeps;

  constructor(deps: InitialPacketsDeps) {
    this.#deps = deps;
  }

  judge(datagram: Buffer, path: DatagramPath, shares: HandshakesUnderWay): AcceptedInitial | undefined {
    const { limiter, random, counts, sendBuffer } = this.#deps;
    if (datagram.length < INITIAL_MIN_BYTES) {
      counts.add('unknown-connection');
      return undefined;
    }
    let header: Header;
    try {
      header = quiche.Header.fromSlice(datagram, CID_BYTES);
    } catch {
      counts.add('garbage');
      return undefined;
    }
    const buffer = sendBuffer.bytes;
    if (!quiche.versionIsSupported(header.version)) {
      counts.add('version-negotiation');
      path.send(buffer, quiche.negotiateVersion(header.scid, header.dcid, buffer));
      return undefined;
    }
    if (header.ty !== INITIAL) {
      counts.add('unknown-connection');
      return undefined;
    }
    const source = path.remote;
    const original = header.token === undefined ? undefined : limiter.checkToken(header.token, source, header.dcid);
    const verdict = limiter.judge(source, shares, original !== undefined);
    if (verdict === 'retry') {
      counts.add('retry-sent');
      const retryCid = random.bytes(CID_BYTES);
      const token = limiter.mintToken(source, header.dcid, retryCid);
      path.send(buffer, quiche.retry(header.scid, header.dcid, retryCid, token, header.version, buffer));
      return undefined;
    }
    if (verdict !== 'accept') {
      counts.add(`handshake-${verdict}`);
      return undefined;
    }
    // After a Retry the client already uses the id we chose there, and its first one is in the token.
    return { cid: original === undefined ? random.bytes(CID_BYTES) : header.dcid, original };
  }
}
