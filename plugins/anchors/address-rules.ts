import type { AddressBlock, Network } from '../../kernel/index.ts';

/** The host part of `host:port`, brackets left out. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

/** IPv6 texts are in brackets. */
export function isIPv6(address: string): boolean {
  return address.startsWith('[');
}

/** Under what an address is counted: its blocks, or its host alone where it is in none. */
export function countedAs(network: Pick<Network, 'blocksOf'>, address: string): readonly AddressBlock[] {
  const blocks = network.blocksOf(address);
  return blocks.length > 0 ? blocks : [{ name: hostOf(address), shares: 1 }];
}

/** True for an address of the public Internet (or what the config counts as such), whoever told it. */
export function isPublic(network: Pick<Network, 'mayDial'>, address: string): boolean {
  // No scope to share: only public addresses pass.
  return network.mayDial(address, '');
}

/**
 * What we pass on of the addresses a node claims: those on the machine it is seen at, so that nobody
 * can have a stranger dialled by others. `seenAt` comes first when it is not among them.
 */
export function ownAddresses(network: Pick<Network, 'mayDial'>, claimed: readonly string[], seenAt: string): string[] {
  const own = claimed.filter((address) => hostOf(address) === hostOf(seenAt) && network.mayDial(address, seenAt));
  return [...new Set([...own, ...(network.mayDial(seenAt, seenAt) ? [seenAt] : [])])].slice(0, 8);
}
