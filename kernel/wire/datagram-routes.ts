import type { Counters, Log } from '../sdk/log.ts';
import { DATAGRAM_MAX_BYTES } from '../sdk/sockets.ts';
import { formatAddress } from '../transport/address.ts';
import { OTHER_FIRST_BYTE_MAX, PATH_PROBE } from '../transport/demultiplex.ts';
import { transportErrors } from '../transport/errors.ts';
import type { SocketAddress } from '../transport/transport.ts';

const PREFIX_MAX_BYTES = 16;
/** Listeners on one socket, of all plugins. */
const PREFIXES_MAX = 32;

export interface DatagramClaim {
  readonly owner: string;
  readonly prefix: Uint8Array;
  readonly listener: (datagram: Uint8Array, from: string) => void;
  /** Takes one from the owner's budget. */
  readonly allowed: () => boolean;
}

/** Who gets which datagrams of one socket, by how they begin. */
export class DatagramRoutes {
  /** The latest last: of one plugin's listeners it is the one that counts. */
  readonly #claims: DatagramClaim[] = [];
  readonly #anyPrefix: boolean;
  readonly #counters: Counters;
  readonly #log: Log;

  /** `anyPrefix`: what looks like QUIC may be asked for as well. */
  constructor(deps: { counters: Counters; log: Log; anyPrefix?: boolean }) {
    this.#counters = deps.counters;
    this.#log = deps.log;
    this.#anyPrefix = deps.anyPrefix ?? false;
  }

  /** The returned function takes it back. @throws transport/bad-prefix, transport/prefix-taken, transport/too-many-prefixes */
  claim(claim: DatagramClaim): () => void {
    const { owner, prefix } = claim;
    if (prefix.length > PREFIX_MAX_BYTES || (!this.#anyPrefix && !isFree(prefix)))
      throw transportErrors.make('bad-prefix');
    if (this.#claims.length >= PREFIXES_MAX) throw transportErrors.make('too-many-prefixes', { limit: PREFIXES_MAX });
    const other = this.#claims.find((held) => held.owner !== owner && overlap(held.prefix, prefix));
    if (other !== undefined) throw transportErrors.make('prefix-taken', { owner: other.owner });
    const entry: DatagramClaim = { ...claim, prefix: Uint8Array.from(prefix) };
    this.#claims.push(entry);
    return () => {
      const index = this.#claims.indexOf(entry);
      if (index >= 0) this.#claims.splice(index, 1);
    };
  }

  /** A datagram came in. False: nobody asked for it. */
  readonly deliver = (datagram: Uint8Array, from: SocketAddress): boolean => {
    const claim = this.#claims.findLast(({ prefix }) => startsWith(datagram, prefix));
    if (claim === undefined || datagram.length > DATAGRAM_MAX_BYTES) return false;
    if (!claim.allowed()) {
      this.#counters.add('datagrams-over-rate');
      return true;
    }
    try {
      claim.listener(datagram, formatAddress(from));
    } catch (error) {
      this.#counters.add('datagram-listener-threw');
      this.#log.error('datagram-listener-threw', { plugin: claim.owner, error });
    }
    return true;
  };
}

function isFree(prefix: Uint8Array): boolean {
  const first = prefix[0];
  return first !== undefined && first <= OTHER_FIRST_BYTE_MAX && first !== PATH_PROBE;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte);
}

function overlap(one: Uint8Array, other: Uint8Array): boolean {
  return startsWith(one, other) || startsWith(other, one);
}
