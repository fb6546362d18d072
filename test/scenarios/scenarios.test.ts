import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { scenarioNames } from '../../sim/scenario.ts';

const RUN = fileURLToPath(new URL('../../sim/run.js', import.meta.url));

for (const name of scenarioNames()) {
  // Each in a process of its own, as a person runs it: memory and time are among what it expects.
  test.serial(`scenario ${name}`, (t) => {
    const { status, stdout } = spawnSync(process.execPath, [RUN, name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.log(stdout);
    t.is(status, 0);
  });
}
