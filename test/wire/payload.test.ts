import test from 'ava';
import fc from 'fast-check';
import { JSON_DEPTH_MAX } from '../../kernel/wire/limits.ts';
import { decodeEnvelope, decodeObject, decodePayload } from '../../kernel/wire/payload.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const reasonOf = (decode: (bytes: Uint8Array) => unknown, text: string): unknown => {
  try {
    decode(bytes(text));
    return 'taken';
  } catch (error) {
    return (error as { data?: { reason?: unknown } }).data?.reason;
  }
};

test('a payload is one object, not a list, null or a plain value', (t) => {
  for (const text of ['[]', 'null', '1', '"text"', 'true']) t.is(reasonOf(decodeObject, text), 'no-object', text);
  t.deepEqual(decodeObject(bytes('{"a":[null]}')), { a: [null] });
});

test('an envelope has a name and a body, be it null', (t) => {
  for (const text of ['{}', '{"name":"a/b@1"}', '{"body":{}}', '{"name":1,"body":{}}'])
    t.is(reasonOf(decodeEnvelope, text), 'envelope', text);
  t.is(reasonOf(decodeEnvelope, '[]'), 'no-object');
  t.deepEqual(decodeEnvelope(bytes('{"name":"a/b@1","body":null,"more":1}')), { name: 'a/b@1', body: null });
});

test('depth counts what is open at a time, of lists and objects alike, not what was', (t) => {
  const row = `[${Array(200).fill('{"a":[]}').join(',')}]`;
  t.is((decodePayload(bytes(row)) as unknown[]).length, 200);
  const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  t.is(reasonOf(decodePayload, objects(JSON_DEPTH_MAX)), 'taken');
  t.is(reasonOf(decodePayload, objects(JSON_DEPTH_MAX + 1)), 'depth');
  const mixed = (pairs: number): string => `${'[{"a":'.repeat(pairs)}1${'}]'.repeat(pairs)}`;
  t.is(reasonOf(decodePayload, mixed(JSON_DEPTH_MAX / 2)), 'taken');
  t.is(reasonOf(decodePayload, mixed(JSON_DEPTH_MAX / 2 + 1)), 'depth');
});

test('brackets in strings do not count, however the strings are escaped, and those behind them do', (t) => {
  const open = '['.repeat(JSON_DEPTH_MAX + 1);
  for (const text of [open, `\\`, `${open}\\`, `"${open}`, `\\"${open}`, `\\\\"${open}\\\\`, '']) {
    const behind = `[${JSON.stringify(text)},${'['.repeat(JSON_DEPTH_MAX)}${']'.repeat(JSON_DEPTH_MAX)}]`;
    t.is(reasonOf(decodePayload, JSON.stringify({ [text]: text, pad: open })), 'taken', text);
    t.is(reasonOf(decodePayload, behind), 'depth', text);
  }
  t.is(reasonOf(decodePayload, `{"pad":"${open}${open}`), 'json', 'a string that never ends');
});

test('any JSON of little depth is read as JSON.parse reads it', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.string({ minLength: 130 }), (value, pad) => {
      fc.pre(pad.isWellFormed() && JSON.stringify(value).isWellFormed());
      const text = JSON.stringify([pad, value, pad]);
      t.deepEqual(decodePayload(bytes(text)), JSON.parse(text));
    }),
  );
});
