import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import { closeReason } from '../close-reason.ts';
import type { CloseInfo } from '../transport.ts';

/** The words of a close that comes before any stream was read. */
export const REFUSED = 'refused';

const ONE_BYTE = new Uint8Array(1);

/** Why a connection that quiche has given up ended. */
export function endOf(native: NativeConnection): CloseInfo {
  const theirs = native.peerError();
  if (theirs?.isApp === true) {
    const info = { byPeer: true, code: theirs.errorCode, reason: closeReason(theirs.errorCode, theirs.reason) };
    return Buffer.from(theirs.reason).toString('latin1') === REFUSED ? { ...info, refused: true } : info;
  }
  if (native.isTimedOut()) return { byPeer: true, code: undefined, reason: 'idle-timeout' };
  const code = (theirs ?? native.localError())?.errorCode;
  return { byPeer: theirs !== null, code: undefined, reason: `transport/${errorName(code)}` };
}

/** RFC 9000 §20.1: 0x0100–0x01ff are TLS alerts. */
function errorName(code: number | undefined): string {
  if (code === undefined) return 'lost';
  return code >= 0x100 && code < 0x200 ? `tls-alert-${code - 0x100}` : `quic-error-${code}`;
}

/** As quiche measures it; before its first sample, the 333 ms that RFC 9002 §6.2.2 has one begin with. */
export function roundTripMs(native: NativeConnection): number | undefined {
  return native.pathStats().find((path) => path.active)?.rtt;
}

/** Reads a reset stream once more, which lets quiche forget it when both halves are complete. */
export function collected(native: NativeConnection, id: number): boolean {
  try {
    native.streamRecv(id, ONE_BYTE);
    return true;
  } catch (error) {
    return !(error as Error).message.startsWith('StreamReset');
  }
}
