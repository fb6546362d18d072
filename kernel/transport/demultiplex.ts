/**
 * What a datagram is on a socket that carries QUIC, by its first byte: RFC 9443 for QUIC beside others,
 * RFC 7983 for STUN. What is neither belongs to whoever asked for it.
 */
export type DatagramKind = 'short-header' | 'long-header' | 'path-probe' | 'other' | 'garbage';

/** First byte of our path probes: neither QUIC (0x40 and up) nor STUN (0 to 3). */
export const PATH_PROBE = 0x20;
/** First bytes above this are QUIC. */
export const OTHER_FIRST_BYTE_MAX = 0x3f;

const LONG_HEADER = 0x80;
const FIXED_BIT = 0x40;
const STUN_FIRST_BYTE_MAX = 3;
const STUN_HEADER_BYTES = 20;
/** RFC 8489 §5. */
const STUN_COOKIE = [0x21, 0x12, 0xa4, 0x42] as const;

export function kindOf(datagram: Uint8Array): DatagramKind {
  const first = datagram[0];
  if (first === undefined) return 'garbage';
  if ((first & LONG_HEADER) !== 0) return 'long-header';
  if ((first & FIXED_BIT) !== 0) return 'short-header';
  if (first === PATH_PROBE) return 'path-probe';
  return first > STUN_FIRST_BYTE_MAX || isStun(datagram) ? 'other' : 'garbage';
}

function isStun(datagram: Uint8Array): boolean {
  const bodyBytes = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0);
  return (
    datagram.length === STUN_HEADER_BYTES + bodyBytes &&
    bodyBytes % 4 === 0 &&
    STUN_COOKIE.every((byte, index) => datagram[4 + index] === byte)
  );
}
