import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { identityOf } from '../../kernel/identity/index.ts';
import { problemWith, profileRecords, verifyProfile } from '../../plugins/social/profile-record.ts';

const seed = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const anna = identityOf(seed('anna'), seed('anna/device'));
const bert = identityOf(seed('bert'), seed('bert/device'));
const NOW = 1_800_000_000_000;

const make = (change: object = {}) => ({
  ...profileRecords.sign(anna, { author: anna.nodeId, name: 'Anna', bio: 'Hej!\nhej', timestamp_ms: NOW, ...change }),
});

test('a signed profile is taken', (t) => {
  const record = make();
  t.deepEqual(verifyProfile(JSON.parse(JSON.stringify(record)), NOW), { record });
});

test('any altered field is forged', (t) => {
  for (const change of [{ name: 'Anne' }, { bio: '' }, { timestamp_ms: NOW + 1 }, { author: bert.nodeId }]) {
    t.deepEqual(verifyProfile({ ...make(), ...change }, NOW), { refused: 'forged' });
  }
  const record = make();
  for (let byte = 0; byte < 64; byte++) {
    const signature = Buffer.from(record.signature, 'hex');
    signature[byte] = (signature[byte] ?? 0) ^ 1;
    t.deepEqual(verifyProfile({ ...record, signature: signature.toString('hex') }, NOW), { refused: 'forged' });
  }
});

test('a profile field of a later version is signed along and kept, and does not read as forged', (t) => {
  const record = make({ pronouns: 'she/her', links: [{ to: 'https://example.org' }] });
  t.deepEqual(verifyProfile(JSON.parse(JSON.stringify(record)), NOW), { record });
  t.deepEqual(verifyProfile({ ...record, pronouns: 'he/him' }, NOW), { refused: 'forged' });
  t.deepEqual(verifyProfile(make({ padding: 'x'.repeat(8_192) }), NOW), { refused: 'too-large' });
});

test('the longest profile this version makes leaves room for fields of later ones', (t) => {
  const addresses = Array.from({ length: 7 }, (_, at) => `[2001:db8:1111:2222:3333:4444:5555:666${at}]:65535`);
  const anchors = [1, 2, 3, 4].map((n) => `${`a${n}`.repeat(32)}@${addresses.join(',')}`);
  for (const char of ['"', '🦊', 'ü', '\\']) {
    const record = make({ name: char.repeat(64), bio: char.repeat(1_000), anchors });
    t.deepEqual(verifyProfile(record, NOW), { record }, char);
  }
});

test('anchors are signed along, and each is a connect string', (t) => {
  const anchors = [`${'ab'.repeat(32)}@5.6.7.1:4433`];
  const record = make({ anchors });
  t.deepEqual(verifyProfile(JSON.parse(JSON.stringify(record)), NOW), { record });
  const { anchors: _, ...without } = record;
  t.deepEqual(verifyProfile(without, NOW), { refused: 'forged' });
  t.deepEqual(verifyProfile({ ...make(), anchors }, NOW), { refused: 'forged' });
  t.deepEqual(verifyProfile(make({ anchors: ['5.6.7.1:4433'] }), NOW), { refused: 'unfit' });
  for (const bad of [[], [1], 'x', Array.from({ length: 5 }, () => anchors[0])]) {
    t.deepEqual(verifyProfile(make({ anchors: bad }), NOW), { refused: 'malformed' });
  }
});

test('a signature over another kind of record does not count', (t) => {
  const { author, name, bio, timestamp_ms } = make();
  const bytes = Buffer.from(JSON.stringify({ author, bio, name, timestamp_ms }));
  const signature = Buffer.from(anna.sign('itsgoin/post/v1', bytes)).toString('hex');
  t.deepEqual(verifyProfile({ ...make(), signature }, NOW), { refused: 'forged' });
});

test('ten minutes ahead is taken, a millisecond more is not', (t) => {
  t.true('record' in verifyProfile(make({ timestamp_ms: NOW + 600_000 }), NOW));
  t.deepEqual(verifyProfile(make({ timestamp_ms: NOW + 600_001 }), NOW), { refused: 'future' });
});

test('texts that rewrite the screen or are too long are unfit, though signed', (t) => {
  for (const name of ['a\nb', '\u001b[2J', 'a\u202eb', 'x'.repeat(65), 'a\u0000']) {
    t.deepEqual(verifyProfile(make({ name }), NOW), { refused: 'unfit' }, JSON.stringify(name));
  }
  for (const bio of ['\u001b]0;x\u0007', 'x'.repeat(1_001), 'a\u2066b']) {
    t.deepEqual(verifyProfile(make({ bio }), NOW), { refused: 'unfit' }, JSON.stringify(bio));
  }
  t.is(problemWith({ name: 'Zoë 🦊 मोहन', bio: 'two\nlines' }), undefined);
  t.is(problemWith({ name: '\ud800', bio: '' }), 'the name contains control characters');
});

test('whatever JSON comes is refused without a throw', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      t.true('refused' in verifyProfile(value, NOW));
    }),
    { numRuns: 300 },
  );
  const keys = ['author', 'name', 'bio', 'timestamp_ms', 'signature'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
      const record = { ...make(), [key]: value };
      const same = value === make()[key];
      t.is('refused' in verifyProfile(record, NOW), !same);
    }),
    { numRuns: 300 },
  );
});
