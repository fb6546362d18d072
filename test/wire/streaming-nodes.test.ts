import test from 'ava';
import { RAW_BLOB } from '../../kernel/index.ts';
import { testNetwork } from '../../kernel/testing/index.ts';
import { readFile } from './files/plugin.ts';
import { readAll } from './raw-rig.ts';

const FILES = new URL('./files', import.meta.url);

test('nodes offer raw-blob while a plugin has raw bytes, and send them to those that offer it', async (t) => {
  const net = await testNetwork({ nodes: 2, plugins: [FILES], builtin: 'all', t });
  const [a, b] = [net.node(0), net.node(1)];
  t.true(a.kernel.network.features().includes(RAW_BLOB));
  await net.connect(0, 1);
  const [there] = a.kernel.network.connectionsOf(b.id);
  t.true(a.kernel.network.featuresOf(there?.id ?? 0).has(RAW_BLOB));
  const { by, bytes } = await a.send(b, readFile, { bytes: 300_000 });
  t.is(by, 'files');
  const file = await net.wait(readAll(bytes));
  t.is(file.length, 300_000);
  t.is(file.at(-1), 2);
  await a.disable('files');
  t.false(a.kernel.network.features().includes(RAW_BLOB));
  t.true(b.kernel.network.features().includes(RAW_BLOB));
  await net.advance(60_000);
  t.deepEqual({ ...(await a.send(b, readFile, { bytes: 10 })) }, { by: 'files' }, 'b has heard that a takes none now');
});

test('a reload drains a body under way and then interrupts it, for the reader to ask again', async (t) => {
  const net = await testNetwork({ nodes: 2, plugins: [FILES], builtin: 'all', t });
  await net.connect(0, 1);
  const [a, b] = [net.node(0), net.node(1)];
  const { bytes } = await a.send(b, readFile, { bytes: 1_000, stuck: true });
  const reading = readAll(bytes).then(
    () => undefined,
    (error: unknown) => error,
  );
  t.is((await b.reload('files')).outcome, 'committed');
  t.like(await net.wait(reading), { code: 'wire/interrupted', retryable: true });
  t.is(b.inspect('files').running, 0);
  const again = await a.send(b, readFile, { bytes: 1_000 });
  t.is((await net.wait(readAll(again.bytes))).length, 1_000);
});
