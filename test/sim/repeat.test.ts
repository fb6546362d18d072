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

test('a run with every kind of liar repeats itself', async (t) => {
  const liars = {
    about: 'all lies',
    nodes: 14,
    minutes: 2,
    seed: 3,
    anchors: 1,
    link: { latencyMs: 30, jitterMs: 25 },
    config: { mesh: { maxMesh: 12 } },
    groups: {
      honest: { first: 0, last: 7 },
      victims: { first: 7, last: 7 },
      liars: { first: 8, last: 12 },
      absent: { first: 13, last: 13 },
    },
    groupConfig: { liars: { mesh: { maxMesh: 2 } } },
    timeline: [
      { at: '0s', do: 'start', who: 'honest' },
      { at: '1s', do: 'start', who: 'liars' },
      { at: '2s', do: 'misdirect', who: { first: 8, last: 10 }, to: 'next-liar' },
      { at: '2s', do: 'misdirect', who: { first: 11, last: 12 }, to: 'stranger' },
      { at: '10s', do: 'lie', who: { first: 8, last: 9 }, lie: 'invented-ids', ids: 50, every: '20s', times: 4 },
      { at: '10s', do: 'lie', who: { first: 10, last: 10 }, lie: 'fake-n2', ids: 10, every: '20s', times: 4 },
      { at: '10s', do: 'lie', who: { first: 11, last: 12 }, lie: 'accomplices', ids: 5, every: '20s', times: 4 },
      { at: '30s', do: 'besiege', who: 'liars', victim: 7, every: '10s', times: 5 },
    ],
    // Each of them would be otherwise if the lies were not heard.
    expect: [
      { that: 'liar-quota', max: 0.9 },
      { that: 'honest-quota', min: 1 },
      { that: 'redirects-received', min: 1 },
      { that: 'strangers-dialled', min: 1 },
      { that: 'dials-to-stranger', max: 3 },
    ],
  };
  const run = (seed: number) => simulate(parseScenario('liars', JSON.stringify({ ...liars, seed })));
  const first = await run(3);
  const second = await run(3);
  t.deepEqual(
    first.checks.filter(({ passed }) => !passed),
    [],
  );
  t.is(second.traceHash, first.traceHash);
  t.deepEqual(second.messages, first.messages);
  t.deepEqual(second.checks, first.checks);
  t.not((await run(4)).traceHash, first.traceHash);
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
