import type { NodeId } from './identifiers.ts';
import { defineResource } from './token.ts';

/** Bytes a sealed message has more than its text: sender's key (32), nonce (12), tag (16). */
export const SEALED_OVERHEAD_BYTES = 60;
/** Longest text of one message; larger content is encrypted in chunks under a key of its own. */
export const SEALED_TEXT_MAX_BYTES = 1024 * 1024;

/** An X25519 key pair whose secret half stays in the kernel. Good for the sealer that made it. */
export interface SealKey {
  /** 32 bytes (RFC 7748). */
  readonly publicKey: Uint8Array;
}

export interface SealOptions {
  /**
   * What the message is for, like `itsgoin/box/v1`, as with {@link Signer.sign}: what is sealed under one
   * domain opens under no other. One domain has one use: {@link Sealer.seal} or {@link Sealer.derive}.
   */
  readonly domain: string;
  /** Authenticated with the message and not part of it: both sides must name the same. Default: nothing. */
  readonly context?: Uint8Array;
}

/** Encryption to the holder of a key, and opening what was encrypted to this node; the identity's secret stays in the kernel. */
export interface Sealer {
  /** The X25519 key of this node's identity: what `publicKeyOf(self.nodeId)` returns everywhere (CRY-02). */
  readonly publicKey: Uint8Array;
  /** The X25519 key of an identity, from its Ed25519 key. @throws identity/bad-public-key (no point, or of small order) */
  publicKeyOf(nodeId: NodeId): Uint8Array;
  /** The key pair of a 32-byte secret that the plugin stores. @throws identity/bad-seed */
  keyFromSeed(seed: Uint8Array): SealKey;
  /**
   * A key pair derived from the identity's secret: the same one on every device that holds the identity,
   * another one for each domain and context. @throws identity/bad-domain
   */
  identityKey(domain: string, context?: Uint8Array): SealKey;
  /**
   * Encrypts `text` to the holder of `publicKey`, from a sender key made for this message alone, so that
   * nobody learns who sent it. Exactly {@link SEALED_OVERHEAD_BYTES} longer than `text`: whoever must not
   * show its length pads it.
   *
   * @throws identity/bad-public-key, identity/bad-domain, identity/too-long
   */
  seal(publicKey: Uint8Array, text: Uint8Array, options: SealOptions): Uint8Array;
  /**
   * The text of a message sealed to `key` (default: the identity's), or undefined when it was sealed to
   * another key, for another domain or context, or is damaged: there is no telling which.
   *
   * @throws identity/bad-domain
   */
  open(sealed: Uint8Array, options: SealOptions & { readonly key?: SealKey }): Uint8Array | undefined;
  /**
   * `bytes` bytes that the holders of `key` (default: the identity's) and of `publicKey` can both compute
   * and nobody else: BLAKE3 `derive_key(domain, X25519 ‖ context)`. At most 1,024.
   *
   * @throws identity/bad-public-key, identity/bad-domain, identity/too-long
   */
  derive(publicKey: Uint8Array, options: SealOptions & { readonly key?: SealKey; readonly bytes?: number }): Uint8Array;
}

export const SEALER = defineResource<Sealer>('sealer');
