import { createCipheriv, createDecipheriv, getCiphers } from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';

export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;
export const AEAD_TAG_BYTES = 16;

/** RFC 8439 §2.8. A nonce must never come twice with one key. */
export interface Aead {
  /** Ciphertext, then tag. */
  encrypt(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, text: Uint8Array): Uint8Array;
  /** Undefined when key, nonce, associated data or ciphertext do not belong together. */
  decrypt(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

export const nativeAead: Aead = {
  encrypt(key, nonce, associated, text) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: AEAD_TAG_BYTES });
    cipher.setAAD(associated);
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  },
  decrypt(key, nonce, associated, sealed) {
    if (sealed.length < AEAD_TAG_BYTES) return undefined;
    const split = sealed.length - AEAD_TAG_BYTES;
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: AEAD_TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(split));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, split)), decipher.final()]);
    } catch {
      return undefined;
    }
  },
};

export const portableAead: Aead = {
  encrypt: (key, nonce, associated, text) => chacha20poly1305(key, nonce, associated).encrypt(text),
  decrypt(key, nonce, associated, sealed) {
    if (sealed.length < AEAD_TAG_BYTES) return undefined;
    try {
      return chacha20poly1305(key, nonce, associated).decrypt(sealed);
    } catch {
      return undefined;
    }
  },
};

/** ChaCha20-Poly1305 by OpenSSL, or in JavaScript where OpenSSL was built without it (FIPS). */
export const aead: Aead = getCiphers().includes('chacha20-poly1305') ? nativeAead : portableAead;
