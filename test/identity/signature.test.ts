import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import {
  identityOf,
  pendingVerifications,
  publicKeyOf,
  verifySignature,
  verifySignatureAsync,
} from '../../kernel/identity/index.ts';

const DOMAIN = 'itsgoin/test/v1';
/** The group order L of RFC 8032 §5.1. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The reference: RFC 8032's strict verification, in JavaScript. */
function reference(id: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, signed(bytes), Buffer.from(id, 'hex'), { zip215: false });
  } catch {
    return false;
  }
}

function signed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(DOMAIN), bytes]);
}

test('agrees with the reference on signatures, altered in every way', async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const identity = identityOf(random.bytes(32), random.bytes(32));
    const bytes = random.bytes(random.integer(200));
    const signature = identity.sign(DOMAIN, bytes);
    t.deepEqual(Buffer.from(signature), Buffer.from(ed25519.sign(signed(bytes), identity.identitySeed)));
    t.true(verifySignature(identity.nodeId, DOMAIN, bytes, signature));
    const altered = Uint8Array.from(signature);
    const at = random.integer(64);
    altered[at] = (altered[at] ?? 0) ^ (1 << random.integer(8));
    const otherKey = Buffer.from(identity.nodeId, 'hex');
    otherKey.writeUInt8(otherKey.readUInt8(at % 32) ^ (1 << random.integer(8)), at % 32);
    const cases: [string, Uint8Array, Uint8Array][] = [
      [identity.nodeId, bytes, altered],
      [identity.nodeId, Buffer.concat([bytes, Buffer.of(0)]), signature],
      [otherKey.toString('hex'), bytes, signature],
      [identity.deviceId, bytes, signature],
      [identity.nodeId, bytes, signature.subarray(0, 63)],
      [identity.nodeId, bytes, new Uint8Array(64)],
    ];
    for (const [id, message, given] of cases) {
      const valid = verifySignature(id, DOMAIN, message, given);
      t.is(valid, reference(id, message, given));
      t.is(valid, await verifySignatureAsync(id, DOMAIN, message, given));
      if (!valid) refused++;
    }
  }
  t.is(refused, 60 * 6);
});

test('a signature counts for its own domain only', (t) => {
  const identity = identityOf(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const signature = identity.sign('itsgoin/post/v1', Buffer.from('x'));
  t.true(verifySignature(identity.nodeId, 'itsgoin/post/v1', Buffer.from('x'), signature));
  t.false(verifySignature(identity.nodeId, 'itsgoin/profile/v1', Buffer.from('x'), signature));
  for (const domain of ['', 'post', 'itsgoin/post', 'itsgoin/pöst/v1', 'itsgoin/post/v1 ']) {
    t.throws(() => identity.sign(domain, Buffer.from('x')), { code: 'identity/bad-domain' });
  }
});

test('the second spelling of a signature (S + L) is refused', (t) => {
  const identity = identityOf(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const bytes = Buffer.from('once');
  const signature = Buffer.from(identity.sign(DOMAIN, bytes));
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + ORDER;
  const other = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(),
  ]);
  t.true(verifySignature(identity.nodeId, DOMAIN, bytes, signature));
  t.false(verifySignature(identity.nodeId, DOMAIN, bytes, other));
  t.false(reference(identity.nodeId, bytes, other));
});

test('keys of small order, with which one signature fits any message, are nobody', (t) => {
  // R = identity, S = 0 satisfies the equation for such a key whenever the hash is a multiple of its order.
  const forged = Buffer.alloc(64);
  forged.writeUInt8(1, 0);
  for (const id of ED25519_TORSION_SUBGROUP) {
    t.is(publicKeyOf(id), undefined);
    for (let i = 0; i < 16; i++) t.false(verifySignature(id, DOMAIN, Buffer.of(i), forged));
  }
});

test('a second spelling of a key is no key', (t) => {
  // y and y + p name the same point; only y below p is accepted. p + 3 .. fits into 255 bits for y < 19.
  for (let y = 0n; y < 19n; y++) {
    const spelled = Buffer.from((2n ** 255n - 19n + y).toString(16).padStart(64, '0'), 'hex')
      .reverse()
      .toString('hex');
    t.is(publicKeyOf(spelled), undefined, `y = ${y}`);
  }
  for (const id of ['', 'zz'.repeat(32), 'AB'.repeat(32), 'ab'.repeat(31), `${'ab'.repeat(32)}\n`]) {
    t.is(publicKeyOf(id), undefined);
  }
});

const { Point } = ed25519;
const PRIME = 2n ** 255n - 19n;

function littleEndian(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();
}

/** Every way to write a point of small order: as it should be, with y + p, and with the sign of an x that is 0. */
function smallOrderSpellings(): string[] {
  const spellings = new Set<string>(ED25519_TORSION_SUBGROUP);
  for (const y of [0n, 1n, PRIME - 1n, PRIME, PRIME + 1n]) {
    const bytes = littleEndian(y);
    spellings.add(bytes.toString('hex'));
    bytes.writeUInt8(bytes.readUInt8(31) | 0x80, 31);
    spellings.add(bytes.toString('hex'));
  }
  return [...spellings];
}

/** h of RFC 8032 §5.1.7: what ties a signature to R, key and message. */
function challenge(r: Uint8Array, key: Uint8Array, bytes: Uint8Array): bigint {
  const hash = Buffer.from(sha512(Buffer.concat([r, key, signed(bytes)])));
  return BigInt(`0x${hash.reverse().toString('hex')}`) % ORDER;
}

test('no spelling of a point of small order is a key, though lax verification takes a signature for it', (t) => {
  const forged = Buffer.alloc(64);
  forged.writeUInt8(1, 0);
  let lax = 0;
  for (const id of smallOrderSpellings()) {
    t.is(publicKeyOf(id), undefined, id);
    for (let i = 0; i < 8; i++) {
      t.false(verifySignature(id, DOMAIN, Buffer.of(i), forged), id);
      if (ed25519.verify(forged, signed(Buffer.of(i)), Buffer.from(id, 'hex'))) lax++;
    }
  }
  t.true(lax > 0, 'zip215, the default of the reference');
});

test('an R of small order is refused in every spelling, even where the owner of the key made it', (t) => {
  const identity = identityOf(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(identity.identitySeed);
  const bytes = Buffer.from('mine');
  let lax = 0;
  for (const spelling of smallOrderSpellings()) {
    const r = Buffer.from(spelling, 'hex');
    const s = (challenge(r, pointBytes, bytes) * scalar) % ORDER;
    const signature = Buffer.concat([r, littleEndian(s)]);
    t.false(verifySignature(identity.nodeId, DOMAIN, bytes, signature), spelling);
    if (ed25519.verify(signature, signed(bytes), pointBytes)) lax++;
  }
  t.true(lax > 0, 'zip215 multiplies the difference away');
});

test('a signature that holds only when the equation is multiplied by 8 is refused: nodes must not differ', (t) => {
  const identity = identityOf(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const { scalar, point } = ed25519.utils.getExtendedPublicKey(identity.identitySeed);
  const torsion = Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string);
  const mixed = Buffer.from(point.add(torsion).toBytes());
  const nonce = 12_345n;
  const r = Point.BASE.multiply(nonce).toBytes();
  let refused = 0;
  for (let i = 0; i < 16; i++) {
    const bytes = Buffer.of(i);
    const h = challenge(r, mixed, bytes);
    const signature = Buffer.concat([r, littleEndian((nonce + h * scalar) % ORDER)]);
    t.true(ed25519.verify(signature, signed(bytes), mixed), 'the lax equation');
    const valid = verifySignature(mixed.toString('hex'), DOMAIN, bytes, signature);
    t.is(valid, torsion.multiplyUnsafe(h % 8n).is0(), `h mod 8 = ${h % 8n}`);
    if (!valid) refused++;
  }
  t.true(refused > 0);
});

test('a virtual clock waits for the thread pool', async (t) => {
  const clock = new VirtualClock({ busy: () => pendingVerifications() > 0 });
  const identity = identityOf(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const signature = identity.sign(DOMAIN, Buffer.of(1));
  let verified: boolean | undefined;
  clock.timer(5, () => {
    void verifySignatureAsync(identity.nodeId, DOMAIN, Buffer.of(1), signature).then((valid) => {
      verified = valid;
    });
  });
  await clock.advance(5);
  t.true(verified);
});
