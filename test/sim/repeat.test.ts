import { join } from 'node:path';
import { appendFileSync } from 'node:fs';
import test from 'ava';
import { recordTo, Replay } from '../../sim/recording.ts';
import { parseScenario } from '../../sim/scenario.ts';
import { simulate } from '../../sim/simulation.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Every kind of step, on a few nodes. */
const BUSY = {
  about: 'a bit of everything',
  nodes: 12,
  minutes: 4,
  seed: 7,
  link: { latencyMs: 30, jitterMs: 25, packetLoss: 0.05, dialFailure: 0.05 },
  groups: { left: { first: 0, last: 5 }, right: { first: 6, last: 11 } },
  timeline: [
    { at: '0s', do: 'start', who: 'all', over: '5s' },
    { at: '10s', do: 'connect', who: 'all', peers: 2 },
    { at: '15s', do: 'follow', who: 'all', others: 3, over: '5s' },
    { at: '30s', do: 'post', who: 'all', posts: 40, over: '2m' },
    { at: '40s', do: 'flap', one: 0, other: 1, every: '3s', times: 5 },
    { at: '1m', do: 'partition', groups: ['left', 'right'] },
    { at: '80s', do: 'heal' },
    { at: '90s', do: 'kill', who: 'right', share: 0.5 },
    { at: '100s', do: 'link', packetLoss: 0 },
    { at: '2m', do: 'churn', who: 'left', perHour: 1, away: '20s', for: '1m' },
    { at: '200s', do: 'stop', who: { first: 0, last: 0 } },
    { at: '210s', do: 'start', who: 'all' },
  ],
  expect: [{ that: 'online', min: 12 }],
};

test('the same seed gives the same trace, another seed another one', async (t) => {
  const run = (seed: number) => simulate(parseScenario('busy', JSON.stringify({ ...BUSY, seed })));
  const first = await run(7);
  const second = await run(7);
  const other = await run(8);
  t.true(first.passed);
  t.true(first.traceLines > 500);
  t.is(second.traceHash, first.traceHash);
  t.deepEqual(second.messages, first.messages);
  t.not(other.traceHash, first.traceHash);
});

test('a replay follows its recording to the end, and says where it goes another way', async (t) => {
  const file = join(temporaryDirectory(t), 'trace');
  const scenario = parseScenario('busy', JSON.stringify({ ...BUSY, minutes: 1 }));
  await simulate(scenario, recordTo(file, { ...scenario, scenario: scenario.name }));
  const same = new Replay(file);
  t.like(same.options, { scenario: 'busy', nodes: 12, minutes: 1, seed: 7 });
  await simulate(scenario, same);
  t.is(same.difference, undefined);

  const other = new Replay(file);
  await simulate({ ...scenario, seed: 8 }, other);
  t.not(other.difference, undefined);

  appendFileSync(file, 'one more frame\n');
  const shorter = new Replay(file);
  await simulate(scenario, shorter);
  t.like(shorter.difference, { recorded: 'one more frame', now: '(this run ends here)' });
});
