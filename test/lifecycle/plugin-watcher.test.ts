import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import { PluginWatcher } from '../../kernel/lifecycle/plugin-watcher.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** A watched folder; `until` resolves at the next report of an entry after `change` ran. */
function watched(t: ExecutionContext) {
  const dir = join(temporaryDirectory(t), 'plugins');
  let heard = (_entry: string): void => {};
  const watcher = new PluginWatcher(dir, systemClock(), recordingLog(), async (path) => heard(basename(path)));
  watcher.start();
  t.teardown(() => watcher.stop());
  t.timeout(10_000, 'a change was not noticed');
  return {
    dir,
    until: (entry: string, change: () => void) =>
      new Promise<void>((resolve) => {
        heard = (name) => name === entry && resolve();
        change();
      }),
  };
}

test('a plugin that an editor saved by renaming over it was not noticed the second time', async (t) => {
  const { dir, until } = watched(t);
  const save = (file: string, text: string): void => {
    writeFileSync(`${file}.new~`, text);
    renameSync(`${file}.new~`, file);
  };
  mkdirSync(join(dir, 'folder', 'deep'), { recursive: true });
  for (const round of ['one', 'two', 'three']) {
    await until('hello.ts', () => save(join(dir, 'hello.ts'), round));
    await until('folder', () => save(join(dir, 'folder', 'deep', 'part.ts'), round));
  }
  await until('hello.ts', () => rmSync(join(dir, 'hello.ts')));
  t.pass();
});

test('a folder that went and came back is watched again', async (t) => {
  const { dir, until } = watched(t);
  const file = join(dir, 'folder', 'plugin.ts');
  for (const round of ['one', 'two']) {
    await until('folder', () => mkdirSync(join(dir, 'folder')));
    await until('folder', () => writeFileSync(file, round));
    await until('folder', () => rmSync(join(dir, 'folder'), { recursive: true }));
  }
  t.pass();
});

test('nothing was noticed in a folder of plugins that was moved away and put back', async (t) => {
  const { dir, until } = watched(t);
  await until('hello.ts', () => writeFileSync(join(dir, 'hello.ts'), 'one'));
  await until('hello.ts', () => renameSync(dir, `${dir}.away`));
  await until('other.ts', () => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'other.ts'), 'one');
  });
  await until('other.ts', () => writeFileSync(join(dir, 'other.ts'), 'two'));
  t.pass();
});
