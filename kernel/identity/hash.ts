import { createDeriveKey, createHash, hash } from 'blake3';

/**
 * Input goes into the WebAssembly memory in pieces of this size: that memory never shrinks, so it must
 * not grow to the largest blob ever hashed.
 */
const PIECE_BYTES = 256 * 1024;

/** BLAKE3, 32 bytes. */
export function blake3(bytes: Uint8Array): Uint8Array {
  return digest(bytes);
}

/** BLAKE3 as 64 lower-case hex characters, the text form of PostId and CID. */
export function blake3Hex(bytes: Uint8Array): string {
  return digest(bytes).toString('hex');
}

/** BLAKE3's key derivation, `bytes` long; `context` is a constant of the code such as `itsgoin/cek-wrap/v1`. */
export function blake3DeriveKey(context: string, material: Uint8Array, bytes = 32): Uint8Array {
  // Not the package's own deriveKey: that one never frees its hasher.
  return createDeriveKey(context).update(material).digest({ length: bytes });
}

/** A hash over pieces. `digestHex` or `dispose` must be called: the state lives outside the JavaScript heap. */
export interface Blake3Hasher {
  update(bytes: Uint8Array): void;
  digestHex(): string;
  dispose(): void;
}

export function blake3Hasher(): Blake3Hasher {
  const hasher = createHash();
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) hasher.update(bytes.subarray(at, at + PIECE_BYTES));
    },
    digestHex: () => (hasher.digest() as Buffer).toString('hex'),
    dispose: () => hasher.dispose(),
  };
}

function digest(bytes: Uint8Array): Buffer {
  if (bytes.length <= PIECE_BYTES) return hash(bytes) as Buffer;
  const hasher = createHash();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) hasher.update(bytes.subarray(at, at + PIECE_BYTES));
  return hasher.digest() as Buffer;
}
