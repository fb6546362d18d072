/** A way of carrying requests and bytes between two peers, as the benchmark drives it. */
export interface Subject {
  /** A peer that listens on this IP address and can dial. */
  start(host: string): Promise<Peer>;
}

export interface Peer {
  /** What another peer must be told to connect to this one. Plain JSON. */
  readonly contact: Contact;
  /** Resolves when the far end has proved who it is. */
  connect(contact: Contact): Promise<Link>;
}

export type Contact = Readonly<Record<string, string | number>>;

export interface Link {
  /** {@link REQUEST} as JSON each way. */
  request(): Promise<void>;
  /** Asks for this many bytes and reads them all; tells whenever some have come. */
  fetch(bytes: number, onBytes?: () => void): Promise<void>;
  close(): Promise<void>;
}

/** About 100 bytes of JSON. */
export const REQUEST = { id: 'a'.repeat(64), n: 12_345, ok: true };

/** Bulk bytes are offered in pieces of this size, by all alike. */
const PIECE_BYTES = 64 * 1024;

export function* pieces(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) yield Buffer.alloc(Math.min(left, PIECE_BYTES), 7);
}
