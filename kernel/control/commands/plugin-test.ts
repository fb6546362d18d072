import { type Static, Type } from '../../sdk/typebox.ts';
import { kernelCommand } from '../deps.ts';
import { controlErrors } from '../errors.ts';
import { findTests, runTests } from '../plugin-tests.ts';

const Test = Type.Object({
  name: Type.String(),
  file: Type.String({ description: 'In the folder of the plugin' }),
  outcome: Type.String({ description: 'passed, failed or skipped' }),
  ms: Type.Integer(),
  place: Type.Union([Type.String(), Type.Null()], { description: 'Where it failed' }),
  problem: Type.Union([Type.String(), Type.Null()]),
});

const Result = Type.Object({
  name: Type.String(),
  folder: Type.String(),
  passed: Type.Integer(),
  failed: Type.Integer(),
  skipped: Type.Integer(),
  tests: Type.Array(Test),
  output: Type.String({ description: 'What the tests printed, the newest of it' }),
});

/** `plugin test`: runs where it is asked for, so that tests never share a process with the node. */
export const pluginTestCommand = kernelCommand(
  {
    about: 'Run the tests of a plugin of yours: the files of its folder that end in .test.ts or .test.js',
    params: Type.Object({
      name: Type.String({ description: 'The plugin in the plugin folder, or one that was added' }),
    }),
    result: Result,
    positional: ['name'],
    text,
  },
  async ({ name }, { signal, progress }, { dataDir }: { dataDir: string }) => {
    const tests = findTests(dataDir, name);
    progress(`testing ${name}`);
    const report = await runTests(tests, signal, (test) => progress(`${test.outcome}: ${test.name}`));
    return { name, folder: tests.folder, ...report, tests: [...report.tests] };
  },
  ({ name, failed, passed }) =>
    failed === 0 ? undefined : controlErrors.make('tests-failed', { name, failed, total: failed + passed }),
);

const SIGNS: Readonly<Record<string, string>> = { passed: '✔', failed: '✖', skipped: '-' };

function text({ name, passed, failed, skipped, tests, output }: Static<typeof Result>): string {
  const lines = tests.flatMap(({ name, outcome, ms, place, problem }) => [
    `${SIGNS[outcome]} ${name} (${ms} ms)`,
    ...(place === null ? [] : [`    ${place}`]),
    ...(problem ?? '').split('\n').flatMap((line) => (line.trim() === '' ? [] : [`    ${line}`])),
  ]);
  const printed = output.trim() === '' ? [] : ['', 'Printed:', output.trimEnd(), ''];
  const rest = skipped === 0 ? '' : `, ${skipped} skipped`;
  return [...lines, ...printed, `${name}: ${passed} passed, ${failed} failed${rest}`].join('\n');
}
