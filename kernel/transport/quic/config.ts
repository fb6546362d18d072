import quiche from '@matrixai/quic/native/quiche.js';
import type { Config } from '@matrixai/quic/native/types.js';
import type { Credentials } from '../../identity/certificate.ts';
import type { TransportLimits } from '../transport.ts';

export const ALPN = 'itsgoin/3';

/** Length of the connection ids we choose, so that a short header can be routed without state. */
export const CID_BYTES = 8;

const MIB = 1024 * 1024;
/**
 * A stream may be this far ahead of its reader. Past it quiche starts again with 32 KiB and doubles each
 * round trip, so the largest frame (16 MiB) must fit from the start.
 */
const STREAM_WINDOW_BYTES = 16.5 * MIB;
const CONNECTION_WINDOW_BYTES = 24 * MIB;
/** What we are ready to receive, whatever the path turns out to carry: IPv4's largest UDP payload. */
const RECEIVE_MAX_BYTES = 65_507;

/**
 * quiche settings of one endpoint. They differ only in the largest datagram, which is also the unit of
 * quiche's congestion window (10 of them at first, 2 at least) and cannot be changed later: a path of
 * ordinary MTU must not start with the window of a loopback.
 */
export class QuicConfigs {
  readonly #byDatagramBytes = new Map<number, Config>();
  readonly #credentials: Credentials;
  readonly #limits: TransportLimits;

  constructor(credentials: Credentials, limits: TransportLimits) {
    this.#credentials = credentials;
    this.#limits = limits;
  }

  of(maxDatagramBytes: number): Config {
    let config = this.#byDatagramBytes.get(maxDatagramBytes);
    if (config === undefined) {
      config = this.#build(maxDatagramBytes);
      this.#byDatagramBytes.set(maxDatagramBytes, config);
    }
    return config;
  }

  #build(maxDatagramBytes: number): Config {
    const { certificateChainPem, deviceKeyPem } = this.#credentials;
    // Both sides must show a certificate; BoringSSL knows no root to check ours against, so it lets any
    // chain pass and `verifyChain` decides before a byte of the application is read.
    const config = quiche.Config.withBoringSslCtx(
      true,
      true,
      null,
      [Buffer.from(deviceKeyPem)],
      [Buffer.from(certificateChainPem)],
      'ed25519',
    );
    config.setApplicationProtos([ALPN]);
    config.setMaxIdleTimeout(this.#limits.idleMs);
    config.setMaxRecvUdpPayloadSize(RECEIVE_MAX_BYTES);
    config.setMaxSendUdpPayloadSize(maxDatagramBytes);
    config.setInitialMaxData(CONNECTION_WINDOW_BYTES);
    config.setMaxConnectionWindow(CONNECTION_WINDOW_BYTES);
    config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW_BYTES);
    config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW_BYTES);
    config.setInitialMaxStreamDataUni(STREAM_WINDOW_BYTES);
    config.setMaxStreamWindow(CONNECTION_WINDOW_BYTES);
    config.setInitialMaxStreamsBidi(this.#limits.maxStreamsPerConnection);
    // One more for the control stream.
    config.setInitialMaxStreamsUni(this.#limits.maxStreamsPerConnection + 1);
    config.setDisableActiveMigration(true);
    // We do not follow quiche's advice when to send, which the binding hides. But without pacing quiche
    // 0.18 stamps packets with an old time, and round-trip times grow without end once packets are lost.
    config.enablePacing(true);
    config.grease(true);
    return config;
  }
}
