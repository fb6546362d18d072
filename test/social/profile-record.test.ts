import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { identityOf } from '../../kernel/identity/index.ts';
import { problemWith, readProfile, signProfile } from '../../plugins/social/profile-record.ts';

const seed = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const anna = identityOf(seed('anna'), seed('anna/device'));
const bert = identityOf(seed('bert'), seed('bert/device'));
const NOW = 1_800_000_000_000;

const make = (change: object = {}) => ({
  ...signProfile({ author: anna.nodeId, name: 'Anna', bio: 'Hej!\nhej', timestamp_ms: NOW, ...change }, anna.sign),
});

test('a signed profile is taken', (t) => {
  const record = make();
  t.deepEqual(readProfile(JSON.parse(JSON.stringify(record)), NOW), { record });
});

test('any altered field is forged', (t) => {
  for (const change of [{ name: 'Anne' }, { bio: '' }, { timestamp_ms: NOW + 1 }, { author: bert.nodeId }]) {
    t.deepEqual(readProfile({ ...make(), ...change }, NOW), { refused: 'forged' });
  }
  const record = make();
  for (let byte = 0; byte < 64; byte++) {
    const signature = Buffer.from(record.signature, 'hex');
    signature[byte] = (signature[byte] ?? 0) ^ 1;
    t.deepEqual(readProfile({ ...record, signature: signature.toString('hex') }, NOW), { refused: 'forged' });
  }
});

test('anchors are signed along, and each is a connect string', (t) => {
  const anchors = [`${'ab'.repeat(32)}@5.6.7.1:4433`];
  const record = make({ anchors });
  t.deepEqual(readProfile(JSON.parse(JSON.stringify(record)), NOW), { record });
  const { anchors: _, ...without } = record;
  t.deepEqual(readProfile(without, NOW), { refused: 'forged' });
  t.deepEqual(readProfile({ ...make(), anchors }, NOW), { refused: 'forged' });
  t.deepEqual(readProfile(make({ anchors: ['5.6.7.1:4433'] }), NOW), { refused: 'unfit' });
  for (const bad of [[], [1], 'x', Array.from({ length: 5 }, () => anchors[0])]) {
    t.deepEqual(readProfile(make({ anchors: bad }), NOW), { refused: 'malformed' });
  }
});

test('a signature over another kind of record does not count', (t) => {
  const { author, name, bio, timestamp_ms } = make();
  const bytes = Buffer.from(JSON.stringify({ author, bio, name, timestamp_ms }));
  const signature = Buffer.from(anna.sign('itsgoin/post/v1', bytes)).toString('hex');
  t.deepEqual(readProfile({ ...make(), signature }, NOW), { refused: 'forged' });
});

test('ten minutes ahead is taken, a millisecond more is not', (t) => {
  t.true('record' in readProfile(make({ timestamp_ms: NOW + 600_000 }), NOW));
  t.deepEqual(readProfile(make({ timestamp_ms: NOW + 600_001 }), NOW), { refused: 'future' });
});

test('texts that rewrite the screen or are too long are unfit, though signed', (t) => {
  for (const name of ['a\nb', '\u001b[2J', 'a\u202eb', 'x'.repeat(65), 'a\u0000']) {
    t.deepEqual(readProfile(make({ name }), NOW), { refused: 'unfit' }, JSON.stringify(name));
  }
  for (const bio of ['\u001b]0;x\u0007', 'x'.repeat(1_001), 'a\u2066b']) {
    t.deepEqual(readProfile(make({ bio }), NOW), { refused: 'unfit' }, JSON.stringify(bio));
  }
  t.is(problemWith({ name: 'Zoë 🦊 मोहन', bio: 'two\nlines' }), undefined);
  t.is(problemWith({ name: '\ud800', bio: '' }), 'the name contains control characters');
});

test('whatever JSON comes is refused without a throw', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      t.true('refused' in readProfile(value, NOW));
    }),
    { numRuns: 300 },
  );
  const keys = ['author', 'name', 'bio', 'timestamp_ms', 'signature'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
      const record = { ...make(), [key]: value };
      const same = value === make()[key];
      t.is('refused' in readProfile(record, NOW), !same);
    }),
    { numRuns: 300 },
  );
});
