import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { exportIdentity, importIdentity, loadIdentity, openExport } from '../../kernel/identity/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const PASSPHRASE = 'Ångström and seven geese';
const seed = new Uint8Array(32).map((_, i) => i);
const text = await exportIdentity(seed, PASSPHRASE);

test('what is exported can be opened with the passphrase, typed in either Unicode form', async (t) => {
  t.deepEqual(new Uint8Array(await openExport(text, PASSPHRASE.normalize('NFD'))), seed);
  t.false(text.includes(Buffer.from(seed).toString('hex')));
  t.true(JSON.parse(text).scrypt.n >= 2 ** 17);
  t.not(await exportIdentity(seed, PASSPHRASE), text);
});

test('a wrong passphrase and a damaged text are told apart', async (t) => {
  await t.throwsAsync(openExport(text, 'something else'), { code: 'identity/wrong-passphrase' });
  const value = JSON.parse(text);
  const damaged = [
    { ...value, sealed: flip(value.sealed) },
    { ...value, node_id: flip(value.node_id) },
    { ...value, nonce: flip(value.nonce) },
    { ...value, checksum: flip(value.checksum) },
    { ...value, scrypt: { ...value.scrypt, salt: flip(value.scrypt.salt) } },
    { ...value, sealed: value.sealed.slice(2) },
    { ...value, scrypt: { ...value.scrypt, n: 2 ** 30 } },
    { ...value, scrypt: { ...value.scrypt, n: 2 ** 14 } },
  ];
  for (const changed of damaged) {
    await t.throwsAsync(openExport(JSON.stringify(changed), PASSPHRASE), { code: 'identity/export-damaged' });
  }
  await t.throwsAsync(openExport(text.slice(0, 200), PASSPHRASE), { code: 'identity/export-damaged' });
});

test('other texts and later formats are named as such', async (t) => {
  for (const other of ['', 'hello', '[]', 'null', '{}', '{"format":"other"}', `${' '.repeat(5_000)}${text}`]) {
    await t.throwsAsync(openExport(other, PASSPHRASE), { code: 'identity/not-an-export' });
  }
  const later = JSON.stringify({ ...JSON.parse(text), version: 2 });
  await t.throwsAsync(openExport(later, PASSPHRASE), { code: 'identity/export-newer' });
  await t.throwsAsync(exportIdentity(seed, 'short'), { code: 'identity/bad-passphrase' });
});

test('import makes a fresh directory that node, and is harmless when repeated', async (t) => {
  const dir = temporaryDirectory(t);
  const { nodeId } = await importIdentity(dir, text, PASSPHRASE);
  t.is(loadIdentity(dir).nodeId, nodeId);
  t.is(statSync(join(dir, 'identity.key')).mode & 0o777, 0o600);
  t.deepEqual(await importIdentity(dir, text, PASSPHRASE), { nodeId, backup: undefined, changed: false });
});

test('another identity is replaced by force only, and kept as a backup', async (t) => {
  const dir = temporaryDirectory(t);
  const before = loadIdentity(dir);
  await t.throwsAsync(importIdentity(dir, text, PASSPHRASE), {
    code: 'identity/other-identity',
    message: new RegExp(before.nodeId),
  });
  t.is(loadIdentity(dir).nodeId, before.nodeId);
  const { backup, changed } = await importIdentity(dir, text, PASSPHRASE, { force: true });
  t.true(changed);
  t.deepEqual(new Uint8Array(readFileSync(backup ?? '')), new Uint8Array(before.identitySeed));
  const after = loadIdentity(dir);
  t.deepEqual(new Uint8Array(after.identitySeed), seed);
  t.is(after.deviceId, before.deviceId);
});

test('a damaged key file is repaired by a forced import', async (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(join(dir, 'identity.key'), 'damaged');
  await t.throwsAsync(importIdentity(dir, text, PASSPHRASE), { code: 'identity/bad-key-file' });
  const { backup } = await importIdentity(dir, text, PASSPHRASE, { force: true });
  t.is(readFileSync(backup ?? '', 'utf8'), 'damaged');
  t.deepEqual(new Uint8Array(loadIdentity(dir).identitySeed), seed);
});

function flip(hex: string): string {
  return (hex[0] === '0' ? '1' : '0') + hex.slice(1);
}
