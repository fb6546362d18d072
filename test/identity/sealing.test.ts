import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { x25519 } from '@noble/curves/ed25519.js';
import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { createSealer, identityOf, nativeAead, portableAead } from '../../kernel/identity/index.ts';
import type { Random } from '../../kernel/sdk/clock.ts';
import type { NodeId } from '../../kernel/sdk/identifiers.ts';
import { SEALED_OVERHEAD_BYTES, SEALED_TEXT_MAX_BYTES } from '../../kernel/sdk/sealer.ts';
import { referenceDerive, referenceIdentity, referenceSeal } from './sealing-reference.ts';

interface Vectors {
  readonly identity: { readonly seed: string; readonly node_id: NodeId; readonly x25519_public: string };
  readonly other_seed: string;
  readonly seal: readonly Record<'name' | 'domain' | 'sender_seed' | 'nonce' | 'context' | 'text' | 'sealed', string>[];
  readonly derive: readonly (Record<'domain' | 'public_key' | 'context' | 'derived', string> & { bytes: number })[];
  readonly identity_keys: readonly Record<'domain' | 'context' | 'public_key', string>[];
  readonly small_order_public_keys: readonly string[];
}

const vectors: Vectors = JSON.parse(readFileSync(join('test', 'vectors', 'sealing.json'), 'utf8'));
const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const show = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
const seed = hex(vectors.identity.seed);

/** Hands out these bytes, in this order. */
function scripted(...parts: Uint8Array[]): Random {
  return {
    bytes: (length) => {
      const part = parts.shift();
      if (part?.length !== length) throw new Error(`${length} random bytes were not expected`);
      return part;
    },
    float: () => 0,
    integer: () => 0,
  };
}

test('the identity has the X25519 key of its Ed25519 key, on both sides', (t) => {
  const sealer = createSealer(seed, seededRandom(1));
  t.is(show(sealer.publicKey), vectors.identity.x25519_public);
  t.is(show(sealer.publicKeyOf(vectors.identity.node_id)), vectors.identity.x25519_public);
});

for (const { name, domain, sender_seed, nonce, context, text, sealed } of vectors.seal) {
  test(`vector "${name}" is sealed and opened byte for byte`, (t) => {
    const sealer = createSealer(seed, scripted(hex(sender_seed), hex(nonce)));
    const options = { domain, context: hex(context) };
    const made = sealer.seal(hex(vectors.identity.x25519_public), hex(text), options);
    t.is(show(made), sealed);
    t.is(made.length, hex(text).length + SEALED_OVERHEAD_BYTES);
    t.is(show(sealer.open(hex(sealed), options)), text);
  });
}

test('derived bytes and keys are those of the vectors', (t) => {
  const sealer = createSealer(seed, seededRandom(1));
  const other = sealer.keyFromSeed(hex(vectors.other_seed));
  for (const { domain, public_key, context, bytes, derived } of vectors.derive) {
    const options = { domain, context: hex(context), bytes };
    t.is(show(sealer.derive(hex(public_key), options)), derived);
    t.is(show(sealer.derive(sealer.publicKey, { ...options, key: other })), derived, 'the other side');
  }
  for (const { domain, context, public_key } of vectors.identity_keys)
    t.is(show(sealer.identityKey(domain, hex(context)).publicKey), public_key);
});

test('agrees with the reference in both directions', (t) => {
  const start = Math.floor(Math.random() * 1e9);
  t.log(`seed ${start}`);
  const random = seededRandom(start);
  for (let round = 0; round < 60; round++) {
    const identity = random.bytes(32);
    const sealer = createSealer(identity, random);
    const { secret, publicKey } = referenceIdentity(identity);
    const text = random.bytes(random.integer(3_000));
    const context = random.bytes(random.integer(40));
    const parts = { domain: 'itsgoin/test/v1', context, text };
    const theirs = referenceSeal({
      ...parts,
      receiver: publicKey,
      sender_seed: random.bytes(32),
      nonce: random.bytes(12),
    });
    t.is(show(sealer.open(theirs, parts)), show(text));
    const [sender_seed, nonce] = [random.bytes(32), random.bytes(12)];
    const mine = createSealer(identity, scripted(sender_seed, nonce)).seal(publicKey, text, parts);
    t.is(show(mine), show(referenceSeal({ ...parts, receiver: publicKey, sender_seed, nonce })));
    const friend = x25519.getPublicKey(random.bytes(32));
    t.is(show(sealer.derive(friend, parts)), show(referenceDerive(secret, friend, parts.domain, context, 32)));
  }
});

test('the two ciphers agree, and refuse the same', (t) => {
  const random = seededRandom(7);
  for (const length of [0, 1, 63, 64, 65, 4_096]) {
    const [key, nonce, text] = [random.bytes(32), random.bytes(12), random.bytes(length)];
    const associated = random.bytes(random.integer(30));
    const sealed = nativeAead.encrypt(key, nonce, associated, text);
    t.is(show(portableAead.encrypt(key, nonce, associated, text)), show(sealed));
    for (const cipher of [nativeAead, portableAead]) {
      t.is(show(cipher.decrypt(key, nonce, associated, sealed)), show(text));
      const altered = Uint8Array.from(sealed, (byte, at) => (at === length ? byte ^ 1 : byte));
      t.is(cipher.decrypt(key, nonce, associated, altered), undefined);
      t.is(cipher.decrypt(key, nonce, Buffer.from('else'), sealed), undefined);
      t.is(cipher.decrypt(key, nonce, associated, sealed.subarray(0, 15)), undefined);
    }
  }
});

test('a message opens with its key, domain and context only, and whole', (t) => {
  const random = seededRandom(3);
  const sealer = createSealer(seed, random);
  const options = { domain: 'itsgoin/test/v1', context: Buffer.from('to B') };
  const text = Buffer.from('for you alone');
  const sealed = sealer.seal(sealer.publicKey, text, options);
  t.is(show(sealer.open(sealed, options)), show(text));
  t.is(sealer.open(sealed, { ...options, domain: 'itsgoin/other/v1' }), undefined);
  t.is(sealer.open(sealed, { ...options, context: Buffer.from('to C') }), undefined);
  t.is(sealer.open(sealed, { ...options, key: sealer.keyFromSeed(random.bytes(32)) }), undefined);
  t.is(createSealer(random.bytes(32), random).open(sealed, options), undefined);
  for (let at = 0; at < sealed.length; at++) {
    const altered = Uint8Array.from(sealed);
    altered[at] = (altered[at] ?? 0) ^ 1;
    t.is(sealer.open(altered, options), undefined, `byte ${at}`);
    t.is(sealer.open(sealed.subarray(0, at), options), undefined, `${at} bytes`);
  }
  t.is(sealer.open(Buffer.concat([sealed, Buffer.of(0)]), options), undefined);
});

test('two messages of one text differ, and name no sender', (t) => {
  const sealer = createSealer(seed, seededRandom(5));
  const options = { domain: 'itsgoin/test/v1' };
  const [one, two] = [0, 1].map(() => sealer.seal(sealer.publicKey, Buffer.from('same'), options));
  t.notDeepEqual(one?.subarray(0, 32), two?.subarray(0, 32));
  t.notDeepEqual(one?.subarray(44), two?.subarray(44));
});

test('keys of small order are refused by name, in every place a key can stand', (t) => {
  const sealer = createSealer(seed, seededRandom(9));
  const options = { domain: 'itsgoin/test/v1' };
  const good = sealer.seal(sealer.publicKey, Buffer.from('x'), options);
  for (const text of vectors.small_order_public_keys) {
    const key = hex(text);
    t.throws(() => sealer.seal(key, Buffer.from('x'), options), { code: 'identity/bad-public-key' }, text);
    t.throws(() => sealer.derive(key, options), { code: 'identity/bad-public-key' }, text);
    t.is(sealer.open(Buffer.concat([key, good.subarray(32)]), options), undefined);
  }
  for (const id of ['00'.repeat(32), `01${'00'.repeat(31)}`, 'ff'.repeat(32), 'short'])
    t.throws(() => sealer.publicKeyOf(id as NodeId), { code: 'identity/bad-public-key' }, id);
});

test('bad domains, lengths and foreign keys are refused by name', (t) => {
  const sealer = createSealer(seed, seededRandom(9));
  const { publicKey } = sealer;
  const good = { domain: 'itsgoin/test/v1' };
  for (const domain of ['', 'itsgoin', 'itsgoin/test', 'itsgoin/Test/v1']) {
    t.throws(() => sealer.seal(publicKey, Buffer.of(1), { domain }), { code: 'identity/bad-domain' });
    t.throws(() => sealer.open(Buffer.alloc(80), { domain }), { code: 'identity/bad-domain' });
    t.throws(() => sealer.derive(publicKey, { domain }), { code: 'identity/bad-domain' });
    t.throws(() => sealer.identityKey(domain), { code: 'identity/bad-domain' });
  }
  t.throws(() => sealer.keyFromSeed(Buffer.alloc(31)), { code: 'identity/bad-seed' });
  t.throws(() => sealer.seal(publicKey.subarray(1), Buffer.of(1), good), { code: 'identity/bad-public-key' });
  t.throws(() => sealer.seal(publicKey, Buffer.alloc(SEALED_TEXT_MAX_BYTES + 1), good), { code: 'identity/too-long' });
  const longest = Buffer.alloc(SEALED_TEXT_MAX_BYTES, 7);
  t.true(longest.equals(sealer.open(sealer.seal(publicKey, longest, good), good) ?? Buffer.alloc(0)));
  t.is(sealer.open(Buffer.alloc(SEALED_TEXT_MAX_BYTES + SEALED_OVERHEAD_BYTES + 1), good), undefined);
  t.throws(() => sealer.derive(publicKey, { ...good, bytes: 1_025 }), { code: 'identity/too-long' });
  t.is(sealer.derive(publicKey, { ...good, bytes: 1_024 }).length, 1_024);
  t.throws(() => sealer.open(Buffer.alloc(80), { ...good, key: { publicKey } }), { code: 'identity/unknown-seal-key' });
});

test('nothing the sealer hands out holds the secret, and altering it alters nothing inside', (t) => {
  const sealer = createSealer(seed, seededRandom(2));
  const options = { domain: 'itsgoin/test/v1' };
  const key = sealer.identityKey('itsgoin/reading-key/v1');
  const { secret } = referenceIdentity(seed);
  const seen = JSON.stringify([sealer, key], (_name, value) =>
    ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value,
  );
  for (const hidden of [seed, secret]) t.false(seen.includes([...hidden].join(',')));
  t.deepEqual(Reflect.ownKeys(key), ['publicKey']);
  sealer.publicKeyOf(identityOf(seed, seed).nodeId).fill(0);
  const receiver = Uint8Array.from(sealer.publicKey);
  sealer.publicKey.fill(0);
  t.is(show(sealer.open(sealer.seal(receiver, Buffer.from('still'), options), options)), show(Buffer.from('still')));
  t.is(show(sealer.publicKeyOf(identityOf(seed, seed).nodeId)), vectors.identity.x25519_public);
});
