import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isHexId } from '../sdk/identifiers.ts';

/** DER of a PKCS#8 / SubjectPublicKeyInfo Ed25519 key up to the 32 key bytes (RFC 8410 §7, §4). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Public keys kept parsed, about 1 KB each; the least used goes first and is parsed again when needed. */
const KEYS_MAX = 4_096;

/**
 * The points of small order, without the sign bit (the eight of RFC 8032's curve have four y): with one
 * of them as "key", a signature can be made that fits any message, so they are nobody's identity.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** p = 2^255 - 19; a y coordinate from it on is a second spelling of a smaller one. */
const FIELD_PRIME = 2n ** 255n - 19n;

const publicKeys = new LRUCache<string, KeyObject>({ max: KEYS_MAX });

export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

/** The 32 raw bytes of either key's public half. */
export function rawPublicKey(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_PREFIX.length);
}

/** The key of a NodeId or DeviceId; `undefined` when the text is no proper Ed25519 public key. */
export function publicKeyOf(id: string): KeyObject | undefined {
  let key = publicKeys.get(id);
  if (key === undefined && isProperKey(id)) {
    key = createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, Buffer.from(id, 'hex')]), format: 'der', type: 'spki' });
    publicKeys.set(id, key);
  }
  return key;
}

/**
 * True for an id that is the one spelling of a y coordinate and of no small order. OpenSSL lets both
 * kinds through, and two spellings of one key would be two identities.
 */
function isProperKey(id: string): boolean {
  if (!isHexId(id)) return false;
  const y = withoutSign(Buffer.from(id, 'hex'));
  return !isSmallOrder(y) && BigInt(`0x${y.reverse().toString('hex')}`) < FIELD_PRIME;
}

/** True for the 32 bytes of a point of small order, whatever its sign bit. */
export function isSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER.has(withoutSign(point).toString('hex'));
}

function withoutSign(point: Uint8Array): Buffer {
  const y = Buffer.from(point);
  y.writeUInt8(y.readUInt8(31) & 0x7f, 31);
  return y;
}
