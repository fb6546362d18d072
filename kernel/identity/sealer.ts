import type { KeyObject } from 'node:crypto';
import type { Random } from '../sdk/clock.ts';
import { SEALED_OVERHEAD_BYTES, SEALED_TEXT_MAX_BYTES, type SealKey, type Sealer } from '../sdk/sealer.ts';
import { aead, AEAD_KEY_BYTES, AEAD_NONCE_BYTES } from './aead.ts';
import { rawPublicKey } from './ed25519-keys.ts';
import { identityErrors } from './errors.ts';
import { blake3DeriveKey } from './hash.ts';
import { SEED_BYTES } from './keys.ts';
import { checkDomain } from './signature.ts';
import { X25519_BYTES, x25519, x25519KeyOf, x25519PrivateKey, x25519SecretOf } from './x25519-keys.ts';

const DERIVED_MAX_BYTES = 1_024;
const NOTHING = new Uint8Array(0);

interface KeyPair {
  readonly secret: KeyObject;
  readonly publicKey: Uint8Array;
}

/**
 * Seals and opens with the identity of this seed and with keys made here. A message is the sender's
 * one-time key, a random nonce, and ChaCha20-Poly1305 under BLAKE3 `derive_key(domain, X25519 ‖
 * sender's key ‖ receiver's key)`, with the caller's context as associated data.
 */
export function createSealer(identitySeed: Uint8Array, random: Random): Sealer {
  const pairs = new WeakMap<SealKey, KeyPair>();
  const lend = (pair: KeyPair): SealKey => {
    const key: SealKey = Object.freeze({ publicKey: Uint8Array.from(pair.publicKey) });
    pairs.set(key, pair);
    return key;
  };
  const identity = keyPair(x25519SecretOf(identitySeed));
  const pairOf = (key: SealKey | undefined): KeyPair => {
    if (key === undefined) return identity;
    const pair = pairs.get(key);
    if (pair === undefined) throw identityErrors.make('unknown-seal-key');
    return pair;
  };

  return Object.freeze<Sealer>({
    publicKey: Uint8Array.from(identity.publicKey),
    publicKeyOf(nodeId) {
      const key = x25519KeyOf(nodeId);
      if (key === undefined) throw identityErrors.make('bad-public-key');
      return Uint8Array.from(key);
    },
    keyFromSeed(seed) {
      if (seed.length !== SEED_BYTES) throw identityErrors.make('bad-seed', { bytes: seed.length });
      return lend(keyPair(seed));
    },
    identityKey(domain, context = NOTHING) {
      checkDomain(domain);
      return lend(keyPair(blake3DeriveKey(domain, Buffer.concat([identitySeed, context]))));
    },
    seal(publicKey, text, { domain, context = NOTHING }) {
      checkDomain(domain);
      if (text.length > SEALED_TEXT_MAX_BYTES) throw identityErrors.make('too-long', { max: SEALED_TEXT_MAX_BYTES });
      const sender = keyPair(random.bytes(SEED_BYTES));
      const shared = x25519(sender.secret, publicKey);
      if (shared === undefined) throw identityErrors.make('bad-public-key');
      const nonce = random.bytes(AEAD_NONCE_BYTES);
      const key = messageKey(domain, shared, sender.publicKey, publicKey);
      return Buffer.concat([sender.publicKey, nonce, aead.encrypt(key, nonce, context, text)]);
    },
    open(sealed, { domain, context = NOTHING, key: lent }) {
      checkDomain(domain);
      const receiver = pairOf(lent);
      if (sealed.length < SEALED_OVERHEAD_BYTES || sealed.length > SEALED_TEXT_MAX_BYTES + SEALED_OVERHEAD_BYTES)
        return undefined;
      const sender = sealed.subarray(0, X25519_BYTES);
      const shared = x25519(receiver.secret, sender);
      if (shared === undefined) return undefined;
      const nonce = sealed.subarray(X25519_BYTES, X25519_BYTES + AEAD_NONCE_BYTES);
      const key = messageKey(domain, shared, sender, receiver.publicKey);
      return aead.decrypt(key, nonce, context, sealed.subarray(X25519_BYTES + AEAD_NONCE_BYTES));
    },
    derive(publicKey, { domain, context = NOTHING, key, bytes = AEAD_KEY_BYTES }) {
      checkDomain(domain);
      if (bytes > DERIVED_MAX_BYTES) throw identityErrors.make('too-long', { max: DERIVED_MAX_BYTES });
      const shared = x25519(pairOf(key).secret, publicKey);
      if (shared === undefined) throw identityErrors.make('bad-public-key');
      return blake3DeriveKey(domain, Buffer.concat([shared, context]), bytes);
    },
  });
}

function keyPair(secretBytes: Uint8Array): KeyPair {
  const secret = x25519PrivateKey(secretBytes);
  return { secret, publicKey: rawPublicKey(secret) };
}

/** Every part but the domain has a fixed length, so no two inputs read the same. */
function messageKey(domain: string, shared: Uint8Array, sender: Uint8Array, receiver: Uint8Array): Uint8Array {
  return blake3DeriveKey(domain, Buffer.concat([shared, sender, receiver]));
}
