import test from 'ava';
import fc from 'fast-check';
import { Compile } from '../../kernel/sdk/typebox.ts';
import {
  bytesToHex,
  DeviceIdSchema,
  hexSchema,
  hexToBytes,
  type NodeId,
  NodeIdSchema,
  nodeIdFromBytes,
  parseHexId,
  readNodeId,
  SignatureSchema,
  type Static,
  Type,
} from '../../kernel/index.ts';

const ID = 'ab12'.repeat(16);

test('a node id is read as people paste it: with spaces around it, in capitals', (t) => {
  t.is<string, string>(readNodeId(ID), ID);
  t.is<string, string>(readNodeId(` \n${ID.toUpperCase()}\t`), ID);
  t.is(parseHexId(` ${ID.toUpperCase()} `), ID);
});

test('whatever else is typed is refused with one code, and not repeated at length', (t) => {
  for (const text of ['', 'x', ID.slice(1), `${ID}0`, `${ID} ${ID}`, `${ID}@192.0.2.1:1`, ID.replace('a', 'g')]) {
    t.throws(() => readNodeId(text), { code: 'kit/bad-node-id' }, JSON.stringify(text));
    t.is(parseHexId(text), undefined);
  }
  const error = t.throws(() => readNodeId('x'.repeat(10_000)));
  t.true((error?.message.length ?? 0) < 120);
});

test('an id schema takes ids in their one spelling alone', (t) => {
  for (const schema of [NodeIdSchema, DeviceIdSchema, hexSchema(32)]) {
    const check = Compile(schema);
    t.true(check.Check(ID));
    for (const value of [ID.toUpperCase(), ` ${ID}`, `${ID}\n`, ID.slice(2), `${ID}00`, 1, null, [ID]])
      t.false(check.Check(value), JSON.stringify(value));
  }
  t.true(Compile(SignatureSchema).Check('0f'.repeat(64)));
  t.false(Compile(SignatureSchema).Check('0f'.repeat(32)));
});

test('what an id schema has checked is a NodeId for the compiler too', (t) => {
  const Body = Type.Object({ who: NodeIdSchema, others: Type.Array(NodeIdSchema) });
  const body: Static<typeof Body> = { who: readNodeId(ID), others: [] };
  const who: NodeId = body.who;
  t.is<string, string>(who, ID);
});

test('bytes and their text are one another', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      t.deepEqual(Uint8Array.from(hexToBytes(bytesToHex(bytes))), bytes);
    }),
  );
  // A view into a larger buffer, as the database returns blobs.
  t.is<string, string>(nodeIdFromBytes(new Uint8Array(40).fill(0xab, 4, 36).subarray(4, 36)), 'ab'.repeat(32));
});
