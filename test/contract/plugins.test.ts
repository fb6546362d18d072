import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'ava';
import { pluginContract } from '../../kernel/testing/index.ts';
import { builtinPlugins } from '../../kernel/testing/plugin-set.ts';

/** What every plugin folder must do, whatever it is for. New folders are found by themselves. */

/** Bodies of golden frames, by message. */
function goldenBodies(plugin: string): Record<string, unknown> {
  const file = `test/vectors/messages/${plugin}.json`;
  if (!existsSync(file)) return {};
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as { message: string; request: { body: unknown } }[];
  return Object.fromEntries(vectors.map(({ message, request }) => [message, request.body]));
}

for (const folder of builtinPlugins()) {
  const name = basename(folder);
  // One after the other: the heap of one is measured.
  for (const { title, check } of pluginContract(folder, { samples: goldenBodies(name) })) {
    test.serial(`${name}: ${title}`, async (t) => {
      await check();
      t.pass();
    });
  }

  test(`${name}: says what it is for in a README of one screen`, (t) => {
    const text = readFileSync(`plugins/${name}/README.md`, 'utf8');
    t.true(text.split('\n').length <= 60, 'one screen');
  });
}
