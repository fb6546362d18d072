import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type AddressBlock, SHARES_EXCEPT } from '../sdk/kit/block-shares.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import { parseAddress, withoutZone } from './address.ts';
import { embeddedIPv4 } from './embedded-ipv4.ts';

/** Whoever is given a /48 has more households than one, and can fill all of them. */
const SITE_SHARES = 4;

/** Addresses whose blocks are remembered: those of a full node's connections. Reading one takes 15 times as long. */
const REMEMBERED_MAX = 1_024;

/** The blocks that an address (`host`, or `host:port`) belongs to; see `Network.blocksOf`. */
export type BlocksOf = (address: string) => readonly AddressBlock[];

/**
 * An IPv4 address is one block; an IPv6 one is in its /64 and its /48; one of a transition mechanism counts as
 * the IPv4 address it leads to. None for an address of a range in `except`, unless it is in `treatAsPublic`.
 */
export function addressBlocks(
  except: readonly string[] = SHARES_EXCEPT,
  treatAsPublic: readonly string[] = [],
): BlocksOf {
  const [excepted, counted] = [except, treatAsPublic].map((texts) => texts.map((text) => ipaddr.parseCIDR(text)));
  const read = (text: string): readonly AddressBlock[] => {
    const host = hostOf(text);
    if (host === undefined) return [];
    const parsed = ipaddr.process(host);
    const address = ipaddr.process(embeddedIPv4(parsed)[0] ?? host);
    const isIn = (ranges: typeof excepted): boolean =>
      ranges?.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits)) ?? false;
    if (isIn(excepted) && !isIn(counted)) return [];
    if (address.kind() === 'ipv4') return [{ name: `${address.toString()}/32`, shares: 1 }];
    return [blockOf(host, 64, 1), blockOf(host, 48, SITE_SHARES)];
  };
  const remembered = new BoundedMap<string, readonly AddressBlock[]>(REMEMBERED_MAX);
  return (text) => {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const blocks = read(text);
    remembered.set(text, blocks);
    return blocks;
  };
}

function blockOf(host: string, bits: number, shares: number): AddressBlock {
  return { name: `${ipaddr.IPv6.networkAddressFromCIDR(`${host}/${bits}`).toString()}/${bits}`, shares };
}

function hostOf(text: string): string | undefined {
  const host = withoutZone(text);
  if (isIP(host) !== 0) return host;
  try {
    return withoutZone(parseAddress(text).host);
  } catch {
    return undefined;
  }
}
