import ipaddr from 'ipaddr.js';

/**
 * The IPv4 addresses that an IPv6 address of a transition mechanism leads to, in which order so ever: what is
 * sent to it comes out of a translator or tunnel there. `[]` for one that carries none.
 *
 * NAT64 (RFC 6052, well-known prefix), 6to4 (RFC 3056), Teredo (RFC 4380: its server, and the client behind it),
 * and IPv4-compatible addresses (RFC 4291, deprecated). Mapped ones count as IPv4 already.
 */
export function embeddedIPv4(address: ipaddr.IPv4 | ipaddr.IPv6): readonly string[] {
  if (address instanceof ipaddr.IPv4) return [];
  const bytes = address.toByteArray();
  const at = (from: number, mask = 0): string =>
    bytes
      .slice(from, from + 4)
      .map((byte) => byte ^ mask)
      .join('.');
  switch (address.range()) {
    case 'rfc6052':
      return [at(12)];
    case '6to4':
      return [at(2)];
    case 'teredo':
      return [at(12, 0xff), at(4)];
    case 'unicast':
      return bytes.slice(0, 12).every((byte) => byte === 0) ? [at(12)] : [];
    default:
      return [];
  }
}

/** The prefix that a network chooses its own NAT64 in (RFC 8215): which IPv4 address is meant, only it knows. */
export function isLocalNat64(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address instanceof ipaddr.IPv6 && address.match(ipaddr.IPv6.parse('64:ff9b:1::'), 48);
}
