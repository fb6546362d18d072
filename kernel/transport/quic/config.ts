import quiche from '@matrixai/quic/native/quiche.js';
import type { Config } from '@matrixai/quic/native/types.js';
import type { Credentials } from '../../identity/certificate.ts';
import type { TransportLimits } from '../transport.ts';
import type { DatagramPath } from './datagram-path.ts';

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

type PathKind = Pick<DatagramPath, 'windowUnitBytes' | 'isLong'>;

/**
 * quiche settings of one endpoint. They differ in the congestion control and in the largest datagram, which is also
 * the unit of quiche's congestion window (10 of them at first, 2 at least) and cannot be changed later: a path of
 * ordinary MTU must not start with the window of a loopback.
 */
export class QuicConfigs {
  readonly #byKind = new Map<string, Config>();
  readonly #credentials: Credentials;
  readonly #limits: TransportLimits;

  constructor(credentials: Credentials, limits: TransportLimits) {
    this.#credentials = credentials;
    this.#limits = limits;
  }

  of({ windowUnitBytes, isLong }: PathKind): Config {
    const kind = `${windowUnitBytes} ${isLong}`;
    let config = this.#byKind.get(kind);
    if (config === undefined) {
      config = this.#build({ windowUnitBytes, isLong });
      this.#byKind.set(kind, config);
    }
    return config;
  }

  #build({ windowUnitBytes, isLong }: PathKind): Config {
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
    config.setMaxSendUdpPayloadSize(windowUnitBytes);
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
    // The binding hides when quiche would have us send, so we send at once; with pacing, quiche 0.18 counts round
    // trips from then. BBR bases its window on them and must not have it; CUBIC must, since without it the stamps are
    // old by as much as its window is small (docs/decisions/congestion.md).
    config.setCcAlgorithmName(isLong ? 'bbr' : 'cubic');
    config.enablePacing(!isLong);
    config.grease(true);
    return config;
  }
}
