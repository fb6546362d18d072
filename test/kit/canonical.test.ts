import test from 'ava';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson } from '../../kernel/index.ts';

test('canonical bytes are those of RFC 8785, as the reference package makes them', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      fc.pre(JSON.stringify(value).isWellFormed());
      t.is(canonicalJson(value), (canonicalize as unknown as (value: unknown) => string)(value));
    }),
  );
});

test('an absent optional field is no field, and the order of keys counts for nothing', (t) => {
  t.is(canonicalJson({ b: 1, a: undefined, A: [null, true] }), '{"A":[null,true],"b":1}');
  t.is(canonicalJson({ A: [null, true], b: 1 }), '{"A":[null,true],"b":1}');
});

test('a key named __proto__ is a key like any other', (t) => {
  t.is(canonicalJson(JSON.parse('{"__proto__":{"a":1},"a":2}')), '{"__proto__":{"a":1},"a":2}');
});

test('numbers are written as ECMAScript prints them (RFC 8785, appendix B)', (t) => {
  const table: [number, string][] = [
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [1e21, '1e+21'],
    [999999999999999900000, '999999999999999900000'],
    [333333333.3333333, '333333333.3333333'],
    [0.000001, '0.000001'],
  ];
  for (const [number, text] of table) t.is(canonicalJson(number), text);
});

test('what has no canonical form is thrown out: lone surrogates, Infinity, functions, nesting without end', (t) => {
  const deep = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  for (const value of ['\ud800', { '\udc00': 1 }, [Infinity], NaN, () => 1, 1n, deep(17), { a: deep(16) }])
    t.throws(() => canonicalJson(value), { instanceOf: TypeError });
  t.is(canonicalJson(deep(16)), JSON.stringify(deep(16)));
});
