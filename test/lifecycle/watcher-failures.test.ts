import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'ava';
import { systemClock, VirtualClock } from '../../kernel/clock/index.ts';
import { PluginWatcher } from '../../kernel/lifecycle/plugin-watcher.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

test('a folder that cannot be made or watched is reported, and the node goes on', (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(join(dir, 'file'), '');
  const log = recordingLog();
  const watcher = new PluginWatcher(join(dir, 'file', 'plugins'), systemClock(), log, () => Promise.resolve());
  watcher.start();
  watcher.stop();
  t.deepEqual(log.events(), ['plugin-watch-failed']);
});

test('256 folders are watched, and each further one is reported', (t) => {
  const dir = temporaryDirectory(t);
  for (let n = 0; n < 255; n++) mkdirSync(join(dir, String(n)));
  for (const hidden of ['.git', 'node_modules', 'old~']) mkdirSync(join(dir, hidden));
  symlinkSync(join(dir, 'gone'), join(dir, 'a link to nowhere'));
  const log = recordingLog();
  const start = (): void => {
    const watcher = new PluginWatcher(dir, systemClock(), log, () => Promise.resolve());
    watcher.start();
    watcher.stop();
  };
  start();
  t.deepEqual(log.events(), []);
  mkdirSync(join(dir, 'one more'));
  mkdirSync(join(dir, 'another'));
  start();
  t.deepEqual(log.events(), ['plugin-watch-failed', 'plugin-watch-failed']);
});

test('a change that fails is reported and the next one is heard; hidden files are none', async (t) => {
  t.timeout(10_000, 'a change was not noticed');
  const dir = temporaryDirectory(t);
  const log = recordingLog();
  const heard: string[] = [];
  let noticed = (): void => {};
  const watcher = new PluginWatcher(dir, systemClock(), log, async (path) => {
    heard.push(basename(path));
    noticed();
    throw new Error('no');
  });
  watcher.start();
  t.teardown(() => watcher.stop());
  for (const name of ['one.ts', 'two.ts']) {
    const next = new Promise<void>((resolve) => {
      noticed = resolve;
    });
    for (const hidden of ['.one.swp', 'one~', 'node_modules']) writeFileSync(join(dir, hidden), name);
    writeFileSync(join(dir, name), 'code');
    await next;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(heard, ['one.ts', 'two.ts']);
  t.deepEqual(log.events(), ['plugin-reload-failed', 'plugin-reload-failed']);
});

test('a change that has not settled when the watcher stops is not told of any more', async (t) => {
  t.timeout(10_000, 'a change was not noticed');
  const dir = temporaryDirectory(t);
  const clock = new VirtualClock();
  const watcher = new PluginWatcher(dir, clock, recordingLog(), async () => t.fail());
  watcher.start();
  writeFileSync(join(dir, 'one.ts'), 'code');
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  watcher.stop();
  t.is(clock.pending, 0);
  await clock.advance(1_000);
});
