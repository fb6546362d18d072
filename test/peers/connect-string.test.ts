import test from 'ava';
import fc from 'fast-check';
import { formatConnectString, parseConnectString } from '../../plugins/peers/api.ts';
import type { NodeId } from '../../kernel/index.ts';

const ID = 'ab'.repeat(32) as NodeId;

for (const [text, addresses] of Object.entries({
  [`${ID}@192.0.2.1:4433`]: ['192.0.2.1:4433'],
  [`  ${ID}@192.0.2.1:4433\n`]: ['192.0.2.1:4433'],
  [`${ID.toUpperCase()}@192.0.2.1:1`]: ['192.0.2.1:1'],
  [`${ID}@[2001:db8::1]:4433, 192.0.2.1:4433`]: ['[2001:db8::1]:4433', '192.0.2.1:4433'],
  [`${ID}@home.example.org:65535`]: ['home.example.org:65535'],
  [`${ID}@a:1,a:1`]: ['a:1'],
  // As a terminal of 40 columns gives it back.
  [`${ID.slice(0, 40)}\n${ID.slice(40)}@192.0.2.\n 1:4433,a:1`]: ['192.0.2.1:4433', 'a:1'],
})) {
  test(`reads ${JSON.stringify(text).replace(ID, '<id>')}`, (t) => {
    t.deepEqual(parseConnectString(text), { nodeId: ID, addresses });
  });
}

for (const text of [
  '',
  ID,
  `${ID}@`,
  `${ID}@192.0.2.1`,
  `${ID}@192.0.2.1:0`,
  `${ID}@192.0.2.1:65536`,
  `${ID}@192.0.2.256:4433`,
  `${ID}@1.2.3:4433`,
  `${ID}@:4433`,
  `${ID}@2001:db8::1:4433`,
  `${ID}@[192.0.2.1]:4433`,
  `${ID}@[::1:4433`,
  `${ID}@-a.example:1`,
  `${ID}@host:1,`,
  `${ID}@host:1e3`,
  `${ID.slice(1)}@host:1`,
  `g${ID.slice(1)}@host:1`,
  `@host:1`,
  `${ID}@${'h:1,'.repeat(16)}h:1`,
  `${ID}@${'a'.repeat(3_000)}:1`,
]) {
  test(`refuses ${JSON.stringify(text.length > 80 ? `${text.slice(62, 90)}... ${text.length}` : text.replace(ID, '<id>'))}`, (t) => {
    const error = t.throws(() => parseConnectString(text), { code: 'mesh/bad-connect-string' });
    t.regex((error as Error & { hint: string }).hint, /node id/);
  });
}

test('what is formatted reads back, and nothing else but a typed error is thrown', (t) => {
  const hex = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 64, maxLength: 64 }).map((c) => c.join(''));
  const address = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`);
  const address6 = fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `[${host}]:${port}`);
  fc.assert(
    fc.property(hex, fc.uniqueArray(fc.oneof(address, address6), { minLength: 1, maxLength: 16 }), (id, addresses) => {
      t.deepEqual(parseConnectString(formatConnectString(id as NodeId, addresses)), { nodeId: id, addresses } as never);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      t.throws(() => parseConnectString(text), { code: 'mesh/bad-connect-string' });
    }),
    { numRuns: 200 },
  );
});
