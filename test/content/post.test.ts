import { ed25519 } from '@noble/curves/ed25519.js';
import { blake3 } from '@noble/hashes/blake3.js';
import test from 'ava';
import fc from 'fast-check';
import { blake3Hex, canonicalJson, verifySignature } from '../../kernel/index.ts';
import { POST_SIGNATURE_DOMAIN, readSyncPost } from '../../plugins/content/post.ts';
import { composePost } from '../../plugins/content/publish.ts';
import { testIdentity } from './world.ts';

const anna = testIdentity('anna');

test('the order of keys and absent optional fields do not change an id, every value does', (t) => {
  const post = composePost(anna, 'hello', 1_767_225_600_000, []);
  const body = canonicalJson(post.post);
  t.is(
    body,
    `{"attachments":[],"author":"${anna.nodeId}","content":"hello","kind":"post","nplus10":[],"timestamp_ms":1767225600000}`,
  );
  t.is(canonicalJson({ ...post.post, reply_to: undefined }), body);
});

test('id and signature are what other implementations of BLAKE3 and Ed25519 make of the same bytes', (t) => {
  const post = composePost(anna, 'hällo ✓', 1_767_225_600_000, []);
  const id = blake3(Buffer.from(canonicalJson(post.post)));
  t.is(post.id as string, Buffer.from(id).toString('hex'));
  const signed = Buffer.concat([Buffer.from('itsgoin/post/v1'), id]);
  t.is(post.signature, Buffer.from(ed25519.sign(signed, anna.identitySeed)).toString('hex'));
});

test('any text that can be posted verifies, and with any one change of it no more', (t) => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).filter((value) => value.trim() !== '');
  fc.assert(
    fc.property(text, fc.nat(), fc.integer({ min: 1, max: 255 }), (content, at, flip) => {
      const post = composePost(anna, content, 1_767_225_600_000, []);
      const bytes = Buffer.from(canonicalJson(post.post));
      const id = Buffer.from(post.id, 'hex');
      const signature = Buffer.from(post.signature, 'hex');
      t.is(readSyncPost(JSON.parse(JSON.stringify(post)) as unknown) !== 'malformed', true);
      t.is(blake3Hex(bytes), post.id);
      t.true(verifySignature(anna.nodeId, POST_SIGNATURE_DOMAIN, id, signature));
      for (const changed of [bytes, id, signature]) {
        const index = at % changed.length;
        changed[index] = (changed[index] ?? 0) ^ flip;
        t.false(blake3Hex(bytes) === post.id && verifySignature(anna.nodeId, POST_SIGNATURE_DOMAIN, id, signature));
        changed[index] = (changed[index] ?? 0) ^ flip;
      }
    }),
    { numRuns: 50 },
  );
});

test('whatever comes in the place of a post is refused by name, never thrown', (t) => {
  const post = composePost(anna, 'hello', 1_767_225_600_000, []);
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(post), ...Object.keys(post.post)), fc.jsonValue(), (key, value) => {
      const forged = key in post ? { ...post, [key]: value } : { ...post, post: { ...post.post, [key]: value } };
      const read = readSyncPost(forged);
      t.true(typeof read === 'string' || read === (forged as unknown));
    }),
    { numRuns: 300 },
  );
});
