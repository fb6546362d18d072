/** Addresses that one household can hold whole, and so can one attacker. */
export interface AddressBlock {
  /** CIDR text: `192.0.2.1/32`, `2001:db8::/64`, `2001:db8::/48`. */
  readonly name: string;
  /** How many shares it has: one household has one, a /48 four. */
  readonly shares: number;
}

/** This machine and what is behind the same router: whoever is there has been let in. */
export const SHARES_EXCEPT = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];
/** Connections that strangers of one block may dial to a node: a large household, or a small provider's one address. */
export const CONNECTIONS_PER_BLOCK = 32;
/** Of all connections, those that strangers do not get. */
export const CONNECTIONS_KEPT = 64;

/**
 * How many of something each block of addresses holds, so that one host gets its share and no more. What is
 * counted has blocks by `Network.blocksOf`; one with none is not counted. As large as what is counted.
 */
export class BlockShares {
  readonly #held = new Map<string, number>();

  /** Whether each of the blocks holds less than its shares of `share`. */
  hasRoom(blocks: readonly AddressBlock[], share: number): boolean {
    return this.usedOf(blocks, share) < 1;
  }

  /** The part of its shares that the fullest of the blocks holds: 0 for nothing, 1 and more for full. */
  usedOf(blocks: readonly AddressBlock[], share: number): number {
    return Math.max(0, ...blocks.map(({ name, shares }) => (this.#held.get(name) ?? 0) / (share * shares)));
  }

  add(blocks: readonly AddressBlock[]): void {
    for (const { name } of blocks) this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
  }

  remove(blocks: readonly AddressBlock[]): void {
    for (const { name } of blocks) {
      const left = (this.#held.get(name) ?? 0) - 1;
      if (left > 0) this.#held.set(name, left);
      else this.#held.delete(name);
    }
  }
}
