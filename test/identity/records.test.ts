import test from 'ava';
import fc from 'fast-check';
import { identityOf } from '../../kernel/identity/index.ts';
import {
  bytesToHex,
  canonicalJson,
  defineRecord,
  fieldsOf,
  NodeIdSchema,
  RECORD_FUTURE_MAX_MS,
  Type,
  verifySignature,
} from '../../kernel/index.ts';

const anna = identityOf(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
const bert = identityOf(new Uint8Array(32).fill(3), new Uint8Array(32).fill(4));
const NOW = 1_800_000_000_000;

const notes = defineRecord({
  domain: 'itsgoin/test-note/v1',
  fields: { author: NodeIdSchema, text: Type.String(), about: Type.Optional(Type.String()) },
  maxBytes: 400,
  author: ({ author }) => author,
  isSound: ({ text }) => text !== 'unsound',
});
const note = (change: object = {}, signer = anna) =>
  notes.sign(signer, { author: anna.nodeId, text: 'hello', timestamp_ms: NOW, ...change });
/** As it comes over the wire. */
const sent = (value: object): unknown => JSON.parse(JSON.stringify(value));
const verify = (value: unknown, nowMs = NOW) => notes.verify(value, { nowMs });

test('what its author signed is taken as it is', (t) => {
  for (const record of [note(), note({ about: 'x' }), note({ text: 'Zoë 🦊\n"' })])
    t.deepEqual(verify(sent(record)), { record });
});

test('the signature covers the domain and the RFC 8785 JSON of the fields', (t) => {
  const { signature, ...fields } = note();
  const bytes = Buffer.from(canonicalJson(fields));
  t.true(verifySignature(anna.nodeId, 'itsgoin/test-note/v1', bytes, Buffer.from(signature, 'hex')));
});

test('whatever is altered, added or taken away is forged', (t) => {
  const record = note({ about: 'x' });
  const { about: _, ...without } = record;
  const changed = [{ text: 'Hello' }, { timestamp_ms: NOW - 1 }, { author: bert.nodeId }, { more: 1 }, { text: '' }];
  for (const value of [without, ...changed.map((change) => ({ ...record, ...change }))])
    t.deepEqual(verify(value), { refused: 'forged' });
  t.deepEqual(verify(note({}, bert)), { refused: 'forged' }, 'signed by somebody else');
});

test('fields of a later version are signed, and stay in the record', (t) => {
  const later = { mood: 'fine', links: [{ to: 'x' }] };
  const record = note(later);
  const read = verify(sent(record));
  t.deepEqual(read, { record: sent(record) });
  t.deepEqual(fieldsOf(record), { author: anna.nodeId, text: 'hello', timestamp_ms: NOW, ...later });
  t.deepEqual(verify({ ...record, mood: 'bad' }), { refused: 'forged' });
});

test('a key named __proto__ is covered like any other', (t) => {
  const value = (text: string) => JSON.parse(text) as object;
  const fields = value(`{"author":"${anna.nodeId}","text":"x","timestamp_ms":${NOW},"__proto__":{"a":1}}`);
  const bytes = Buffer.from(canonicalJson(fields));
  const signature = bytesToHex(anna.sign('itsgoin/test-note/v1', bytes));
  const text = JSON.stringify({ signature }).slice(1, -1);
  const record = value(`${JSON.stringify(fields).slice(0, -1)},${text}}`);
  t.true('record' in verify(record));
  t.deepEqual(verify(value(JSON.stringify(record).replace('"a":1', '"a":2'))), { refused: 'forged' });
});

test('ten minutes ahead is taken, a millisecond more is not; the past has no end', (t) => {
  t.is(RECORD_FUTURE_MAX_MS, 600_000);
  t.true('record' in verify(note({ timestamp_ms: NOW + 600_000 })));
  t.deepEqual(verify(note({ timestamp_ms: NOW + 600_001 })), { refused: 'future' });
  t.true('record' in verify(note({ timestamp_ms: 0 })));
});

test('a record of exactly the allowed bytes is taken, one more is too large, unknown fields counted', (t) => {
  const base = canonicalJson({ author: anna.nodeId, text: '', timestamp_ms: NOW }).length;
  t.true('record' in verify(note({ text: 'x'.repeat(400 - base) })));
  t.deepEqual(verify(note({ text: 'x'.repeat(401 - base) })), { refused: 'too-large' });
  t.deepEqual(verify(note({ padding: 'x'.repeat(300) })), { refused: 'too-large' });
});

test('wrong forms are malformed, and nothing is thrown', (t) => {
  const record = note();
  for (const [key, value] of [
    ['signature', record.signature.toUpperCase()],
    ['signature', record.signature.slice(2)],
    ['timestamp_ms', -1],
    ['timestamp_ms', 1.5],
    ['timestamp_ms', 2 ** 53],
    ['author', anna.nodeId.toUpperCase()],
    ['text', '\ud800'],
    ['text', 'unsound'],
    ['more', JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`)],
    ['device_certificate', ''],
    ['device_certificate', 'x'.repeat(10_000)],
  ] as const)
    t.deepEqual(verify({ ...record, [key]: value }), { refused: 'malformed' }, `${key} ${String(value).slice(0, 20)}`);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      t.true('refused' in verify(value));
    }),
  );
});

test('what is to be skipped is never proved, and costs no canonical form', (t) => {
  const asked: string[] = [];
  const skip = ({ text }: { text: string }) => {
    asked.push(text);
    return 'known' as const;
  };
  t.deepEqual(notes.verify({ ...note(), text: '\ud800' }, { nowMs: NOW, skip }), { refused: 'known' });
  t.deepEqual(notes.verify(7, { nowMs: NOW, skip }), { refused: 'malformed' });
  t.deepEqual(asked, ['\ud800'], 'asked of the right form alone');
});

test('the thread pool comes to the same verdicts', async (t) => {
  const record = note({ more: [1, 2] });
  const values = [record, { ...record, more: [] }, note({ timestamp_ms: NOW + 600_001 }), note({}, bert), 7];
  for (const value of values) t.deepEqual(await notes.verifyAsync(value, { nowMs: NOW }), verify(value));
  t.deepEqual(await notes.verifyAsync(record, { nowMs: NOW, skip: () => 'known' as const }), { refused: 'known' });
});

test('a record of one kind is none of another', (t) => {
  const letters = defineRecord({
    domain: 'itsgoin/test-letter/v1',
    fields: { author: NodeIdSchema, text: Type.String() },
    maxBytes: 400,
    author: ({ author }) => author,
  });
  t.deepEqual(letters.verify(note(), { nowMs: NOW }), { refused: 'forged' });
});
