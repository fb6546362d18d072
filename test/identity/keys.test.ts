import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { loadIdentity } from '../../kernel/identity/index.ts';
import { createLog } from '../../kernel/observe/index.ts';
import { isHexId } from '../../kernel/sdk/identifiers.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

function recordingLog() {
  const log = createLog({ level: 'debug', clock: new VirtualClock(), to: 'none' });
  return { log: log.area('kernel/identity'), events: () => log.recent().map(({ event }) => event) };
}

test('makes two private 32-byte keys once, and is the same node ever after', (t) => {
  const dir = temporaryDirectory(t);
  const first = loadIdentity(dir);
  t.deepEqual(loadIdentity(dir).self, first.self);
  t.true(isHexId(first.nodeId) && isHexId(first.deviceId));
  t.not(first.nodeId as string, first.deviceId as string);
  for (const [name, id] of [
    ['identity.key', first.nodeId],
    ['device.key', first.deviceId],
  ] as const) {
    const path = join(dir, name);
    t.is(statSync(path).size, 32);
    t.is(statSync(path).mode & 0o777, 0o600);
    t.is(Buffer.from(ed25519.getPublicKey(readFileSync(path))).toString('hex'), id);
  }
});

test('without identity.key it is somebody new, and says so when there is old data', (t) => {
  const dir = temporaryDirectory(t);
  const { log, events } = recordingLog();
  const first = loadIdentity(dir, { log });
  t.deepEqual(events(), ['key-made', 'key-made']);
  writeFileSync(join(dir, 'itsgoin.db'), '');
  rmSync(join(dir, 'identity.key'));
  const second = loadIdentity(dir, { log });
  t.not(second.nodeId, first.nodeId);
  t.is(second.deviceId, first.deviceId);
  t.is(events()[2], 'new-identity-for-old-data');
});

test('two installations with one identity.key are one node with two devices', (t) => {
  const [one, two] = [temporaryDirectory(t), temporaryDirectory(t)];
  const first = loadIdentity(one);
  writeFileSync(join(two, 'identity.key'), readFileSync(join(one, 'identity.key')), { mode: 0o600 });
  const second = loadIdentity(two);
  t.is(second.nodeId, first.nodeId);
  t.not(second.deviceId, first.deviceId);
});

test('a key file of the wrong size is an error and stays as it is', (t) => {
  for (const name of ['identity.key', 'device.key']) {
    for (const content of ['', 'short', 'x'.repeat(33), 'ab'.repeat(32)]) {
      const dir = temporaryDirectory(t);
      writeFileSync(join(dir, name), content);
      t.throws(() => loadIdentity(dir), {
        code: 'identity/bad-key-file',
        message: new RegExp(`${content.length} bytes`),
      });
      t.is(readFileSync(join(dir, name), 'utf8'), content);
    }
  }
});

test('an unreadable key file is an error, not a reason to become somebody else', (t) => {
  const dir = temporaryDirectory(t);
  const { nodeId } = loadIdentity(dir);
  chmodSync(dir, 0o755);
  const url = new URL('../../kernel/identity/index.js', import.meta.url).href;
  // Permissions do not hold root back, so another user tries.
  const script = `
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    else (await import('node:fs')).chmodSync(${JSON.stringify(join(dir, 'identity.key'))}, 0);
    const { loadIdentity } = await import(${JSON.stringify(url)});
    try { loadIdentity(${JSON.stringify(dir)}); console.log('loaded'); } catch (error) { console.log(error.code); }`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.is(output.trim(), 'identity/unreadable');
  chmodSync(join(dir, 'identity.key'), 0o600);
  t.is(loadIdentity(dir).nodeId, nodeId);
});

test('a key that others may read is reported', (t) => {
  const dir = temporaryDirectory(t);
  loadIdentity(dir);
  chmodSync(join(dir, 'identity.key'), 0o644);
  const { log, events } = recordingLog();
  loadIdentity(dir, { log });
  t.deepEqual(events(), ['key-file-open-to-others']);
});

test('seeded randomness gives the same identities, for simulations', (t) => {
  const ids = [1, 2].map(() => loadIdentity(temporaryDirectory(t), { random: seededRandom('node-1') }).self);
  t.deepEqual(ids[0], ids[1]);
});

test('a crash while a key is written leaves no half key', (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(join(dir, 'identity.key.new'), 'half');
  loadIdentity(dir);
  t.is(statSync(join(dir, 'identity.key')).size, 32);
  t.false(existsSync(join(dir, 'identity.key.new')));
});
