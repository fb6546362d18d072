import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { embeddedIPv4, isLocalNat64 } from './embedded-ipv4.ts';
import { transportErrors } from './errors.ts';
import type { SocketAddress } from './transport.ts';

export type AddressClass =
  | 'public'
  | 'private'
  | 'loopback'
  | 'link-local'
  | 'cgnat'
  | 'multicast'
  | 'documentation'
  | 'unspecified';

/** An IP address in the one form we store, compare and advertise: mapped IPv6 becomes IPv4 (MESH-11). */
export function socketAddress(host: string, port: number): SocketAddress {
  const plain = plainHost(host);
  return { host: plain, port, family: isIP(plain) === 4 ? 4 : 6 };
}

/** @throws transport/bad-address */
export function parseAddress(text: string): SocketAddress {
  const { host, port } = splitHostPort(text);
  if (isIP(host) === 0) throw transportErrors.make('bad-address', { text });
  return socketAddress(host, port);
}

/** As {@link parseAddress}, and a DNS name resolves to all its addresses. @throws transport/bad-address, transport/unreachable */
export async function resolveAddress(text: string): Promise<readonly SocketAddress[]> {
  const { host, port } = splitHostPort(text);
  if (isIP(host) !== 0) return [socketAddress(host, port)];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => socketAddress(address, port));
  } catch (error) {
    throw transportErrors.make('unreachable', { host }, error);
  }
}

/** `192.0.2.1:4433` or `[2001:db8::1]:4433`. */
export function formatAddress({ host, port, family }: SocketAddress): string {
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * One text for an address whatever form it is told in, and one for the site behind it: an IPv4 address,
 * or the /64 that an IPv6 household has, or the IPv4 address that a transition address leads to. This machine is no site: each of its ports may be another node.
 * A text that is no address stands for itself.
 */
export function placeOf(text: string): { readonly address: string; readonly site: string } {
  try {
    const parsed = parseAddress(text);
    const host = withoutZone(parsed.host);
    const address = formatAddress(parsed);
    if (classifyAddress(host) === 'loopback') return { address, site: address };
    if (parsed.family === 4) return { address, site: host };
    const [inner] = embeddedIPv4(ipaddr.IPv6.parse(host));
    return { address, site: inner ?? ipaddr.IPv6.networkAddressFromCIDR(`${host}/64`).toString() };
  } catch {
    return { address: text, site: text };
  }
}

/**
 * What kind of address this is; the only place that decides it. `treatAsPublic` (CIDR texts) comes
 * first, so that a laboratory's documentation or private ranges can stand for the Internet. An address that
 * leads to IPv4 ones is what they are: `64:ff9b::7f00:1` is this machine.
 */
export function classifyAddress(host: string, treatAsPublic: readonly string[] = []): AddressClass {
  const address = ipaddr.process(withoutZone(host));
  for (const text of treatAsPublic) {
    const [network, bits] = ipaddr.parseCIDR(text);
    if (network.kind() === address.kind() && address.match(network, bits)) return 'public';
  }
  if (isLocalNat64(address)) return 'private';
  const embedded = embeddedIPv4(address).map((inner) => classifyAddress(inner, treatAsPublic));
  if (embedded.length > 0) return embedded.find((kind) => kind !== 'public') ?? 'public';
  return CLASS_OF_RANGE[address.range()] ?? 'documentation';
}

/** See `Network.mayDial`, which is this. */
export function isDialable(address: string, toldFrom: string, treatAsPublic: readonly string[] = []): boolean {
  const kind = classOfText(address, treatAsPublic);
  if (kind === undefined || kind === 'multicast' || kind === 'unspecified') return false;
  return kind === 'public' || kind === classOfText(toldFrom, treatAsPublic);
}

function classOfText(text: string, treatAsPublic: readonly string[]): AddressClass | undefined {
  try {
    return classifyAddress(parseAddress(text).host, treatAsPublic);
  } catch {
    return undefined;
  }
}

/** Ranges by ipaddr.js's names. Those not named here are reserved: nobody can be reached there. */
const CLASS_OF_RANGE: Readonly<Record<string, AddressClass>> = {
  unicast: 'public',
  private: 'private',
  uniqueLocal: 'private',
  loopback: 'loopback',
  linkLocal: 'link-local',
  carrierGradeNat: 'cgnat',
  multicast: 'multicast',
  broadcast: 'multicast',
  unspecified: 'unspecified',
};

function plainHost(host: string): string {
  if (isIP(host) === 4) return host;
  const zone = host.indexOf('%');
  const plain = ipaddr.process(withoutZone(host)).toString();
  return zone < 0 ? plain : plain + host.slice(zone);
}

/** `fe80::1%eth0` names an interface, which is no part of the address. */
export function withoutZone(host: string): string {
  const zone = host.indexOf('%');
  return zone < 0 ? host : host.slice(0, zone);
}

function splitHostPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port > 0 && port < 65_536)) throw transportErrors.make('bad-address', { text });
  return { host, port };
}
