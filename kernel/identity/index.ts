export { nativeAead, portableAead } from './aead.ts';
export { privateKeyOf, publicKeyOf, rawPublicKey } from './ed25519-keys.ts';
export { identityErrors } from './errors.ts';
export { exportIdentity, type ImportResult, importIdentity, openExport, PASSPHRASE_MIN_CHARACTERS } from './export.ts';
export { type Blake3Hasher, blake3, blake3DeriveKey, blake3Hasher, blake3Hex } from './hash.ts';
export { type Identity, type IdentityOptions, identityOf, identityPath, loadIdentity } from './keys.ts';
export { createSealer } from './sealer.ts';
export {
  pendingVerifications,
  SIGNATURE_BYTES,
  signMessage,
  verifyInline,
  verifySignature,
  verifySignatureAsync,
} from './signature.ts';
