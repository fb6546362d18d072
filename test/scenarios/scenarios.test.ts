import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { scenarioNames } from '../../sim/scenario.ts';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { sim: string } };
const [, ...command] = scripts.sim.split(' ');

for (const name of scenarioNames()) {
  // Each in a process of its own, as `npm run sim` runs it: memory and time are among what it expects.
  test.serial(`scenario ${name}`, (t) => {
    const { status, stdout } = spawnSync(process.execPath, [...command, name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.log(stdout);
    t.is(status, 0);
  });
}
