import { type KeyObject, sign, verify } from 'node:crypto';
import { identityErrors } from './errors.ts';
import { isSmallOrder, publicKeyOf } from './ed25519-keys.ts';

/** Length of every signature here. */
export const SIGNATURE_BYTES = 64;

/** `itsgoin/post/v1`: owner, record kind, version. */
const DOMAIN = /^[a-z0-9-]+(\/[a-z0-9-]+)+\/v\d+$/;

let pending = 0;
let inline = false;
/** What was verified inline: in a simulation every node verifies the same records. Emptied when it is full. */
const verified = new Map<string, boolean>();
const VERIFIED_MAX = 20_000;

/**
 * Signs `domain ‖ bytes` with Ed25519 (RFC 8032 §5.1.6).
 *
 * There is no separator between the two, so a domain's payload must not begin with a digit unless it
 * has one fixed length, as ids have: `.../v1` + `0` would read as `.../v10`.
 *
 * @throws identity/bad-domain
 */
export function signMessage(key: KeyObject, domain: string, bytes: Uint8Array): Uint8Array {
  checkDomain(domain);
  return sign(null, message(domain, bytes), key);
}

/** @throws identity/bad-domain */
export function checkDomain(domain: string): void {
  if (!DOMAIN.test(domain)) throw identityErrors.make('bad-domain', { domain });
}

/**
 * True when `signature` over `domain ‖ bytes` is by the key `id` (a NodeId or DeviceId). Never throws:
 * a malformed id or signature is `false`. One signature has one spelling (S below the group order,
 * canonical R), keys and R of small order and second spellings of keys are refused, and the equation must
 * hold as it stands, not only multiplied by the cofactor: no two nodes may come to different verdicts.
 */
export function verifySignature(id: string, domain: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = isProperForm(signature) ? publicKeyOf(id) : undefined;
  return key !== undefined && verifyNow(id, message(domain, bytes), key, signature);
}

function verifyNow(id: string, text: Buffer, key: KeyObject, signature: Uint8Array): boolean {
  if (!inline) return verify(null, text, key, signature);
  const name = `${id}${Buffer.from(signature).toString('latin1')}${text.toString('latin1')}`;
  const known = verified.get(name);
  if (known !== undefined) return known;
  const isValid = verify(null, text, key, signature);
  if (verified.size >= VERIFIED_MAX) verified.clear();
  verified.set(name, isValid);
  return isValid;
}

/** The same on libuv's thread pool: about as much work for this thread less, for batches. */
export function verifySignatureAsync(
  id: string,
  domain: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key = isProperForm(signature) ? publicKeyOf(id) : undefined;
  if (key === undefined) return Promise.resolve(false);
  if (inline) return Promise.resolve(verifyNow(id, message(domain, bytes), key, signature));
  pending++;
  return new Promise((resolve) => {
    verify(null, message(domain, bytes), key, signature, (error, valid) => {
      pending--;
      resolve(error === null && valid);
    });
  });
}

/**
 * From now on {@link verifySignatureAsync} works on this thread, in the order of the calls: threads end
 * in any order, and a simulation must repeat itself. There is no way back. From then on both remember
 * what they have verified.
 */
export function verifyInline(): void {
  inline = true;
}

/** Verifications on the thread pool at this moment: a virtual clock must wait for them. */
export function pendingVerifications(): number {
  return pending;
}

/** What {@link verifySignature} promises, for bytes without a domain and a key that {@link publicKeyOf} returned. */
export function signatureHolds(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return isProperForm(signature) && verify(null, bytes, key, signature);
}

/** OpenSSL compares R and bounds S; whether it takes an R of small order is up to its version. */
function isProperForm(signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && !isSmallOrder(signature.subarray(0, 32));
}

function message(domain: string, bytes: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(domain.length + bytes.length);
  whole.write(domain, 'latin1');
  whole.set(bytes, domain.length);
  return whole;
}
