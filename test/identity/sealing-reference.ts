import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { blake3 } from '@noble/hashes/blake3.js';

/** The sealed format written a second time, with other libraries: what the kernel's code is compared with. */

export interface Sealing {
  readonly receiver: Uint8Array;
  readonly sender_seed: Uint8Array;
  readonly nonce: Uint8Array;
  readonly domain: string;
  readonly context: Uint8Array;
  readonly text: Uint8Array;
}

export function referenceSeal({ receiver, sender_seed, nonce, domain, context, text }: Sealing): Uint8Array {
  const sender = x25519.getPublicKey(sender_seed);
  const material = Buffer.concat([x25519.getSharedSecret(sender_seed, receiver), sender, receiver]);
  const key = blake3(material, { context: Buffer.from(domain) });
  return Buffer.concat([sender, nonce, chacha20poly1305(key, nonce, context).encrypt(text)]);
}

export function referenceDerive(
  secret: Uint8Array,
  publicKey: Uint8Array,
  domain: string,
  context: Uint8Array,
  bytes: number,
): Uint8Array {
  const material = Buffer.concat([x25519.getSharedSecret(secret, publicKey), context]);
  return blake3(material, { context: Buffer.from(domain), dkLen: bytes });
}

/** The X25519 secret and public key of an identity. */
export function referenceIdentity(seed: Uint8Array): { secret: Uint8Array; publicKey: Uint8Array } {
  const secret = ed25519.utils.toMontgomerySecret(seed);
  return { secret, publicKey: x25519.getPublicKey(secret) };
}
