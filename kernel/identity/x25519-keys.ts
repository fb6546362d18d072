import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { LRUCache } from 'lru-cache';
import { publicKeyOf } from './ed25519-keys.ts';

export const X25519_BYTES = 32;

/** DER of a PKCS#8 / SubjectPublicKeyInfo X25519 key up to the 32 key bytes (RFC 8410 §7, §4). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** Converted identities and parsed keys kept, some 200 bytes and 1 KB each; the least used goes first. */
const KEYS_MAX = 4_096;
const converted = new LRUCache<string, Uint8Array>({ max: KEYS_MAX });
const parsed = new LRUCache<string, KeyObject>({ max: KEYS_MAX });

export function x25519PrivateKey(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, secret]), format: 'der', type: 'pkcs8' });
}

/** The secret of an identity's X25519 key (RFC 8032 §5.1.5: the clamped first half of the seed's SHA-512). */
export function x25519SecretOf(identitySeed: Uint8Array): Uint8Array {
  return ed25519.utils.toMontgomerySecret(identitySeed);
}

/** The X25519 key of an identity; undefined when its id is no proper Ed25519 key. */
export function x25519KeyOf(id: string): Uint8Array | undefined {
  let key = converted.get(id);
  if (key === undefined) {
    if (publicKeyOf(id) === undefined) return undefined;
    try {
      key = ed25519.utils.toMontgomery(Buffer.from(id, 'hex'));
    } catch {
      // No point of the curve.
      return undefined;
    }
    converted.set(id, key);
  }
  return key;
}

/** The shared secret; undefined for a key of small order, with which everybody would share the same one. */
export function x25519(secret: KeyObject, publicKey: Uint8Array): Uint8Array | undefined {
  if (publicKey.length !== X25519_BYTES) return undefined;
  try {
    const shared = diffieHellman({ privateKey: secret, publicKey: parse(publicKey) });
    // OpenSSL refuses it already; RFC 7748 §6.1 leaves that open, so it is not relied upon.
    return shared.every((byte) => byte === 0) ? undefined : shared;
  } catch {
    return undefined;
  }
}

function parse(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1');
  let key = parsed.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, publicKey]), format: 'der', type: 'spki' });
    parsed.set(name, key);
  }
  return key;
}
