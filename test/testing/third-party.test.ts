import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { writePlugin } from '../../kernel/control/plugin-template.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const run = promisify(execFile);

test('the example of docs/testing.md passes in a folder of its own, with types stripped', async (t) => {
  const dataDir = temporaryDirectory(t);
  writePlugin(dataDir, 'hello', false);
  const folder = join(dataDir, 'plugins', 'hello');
  const example = /```ts\n\/\/ hello\/plugin\.test\.ts\n([\s\S]*?)```/.exec(readFileSync('docs/testing.md', 'utf8'));
  writeFileSync(join(folder, 'plugin.test.ts'), example?.[1] ?? '');
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], { cwd: folder });
  t.regex(stdout, /# pass 3\n# fail 0/);
});
