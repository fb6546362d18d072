import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Check } from '../../sim/checks.ts';
import { milliseconds, showDuration } from '../../sim/durations.ts';
import { GrowthModel } from '../../sim/growth-model.ts';
import { components, quantile } from '../../sim/graph.ts';
import { readOptions, USAGE } from '../../sim/options.ts';
import { simulateLight } from '../../sim/light.ts';
import { Replay } from '../../sim/recording.ts';
import { isLight, type LightScenario, parseScenario, readScenario, scenarioNames } from '../../sim/scenario.ts';
import { simulate } from '../../sim/simulation.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const LEAST = { about: 'x', nodes: 3, minutes: 1, seed: 1, timeline: [], expect: [{ that: 'online', min: 0 }] };
const parse = (change: object) => parseScenario('x', JSON.stringify({ ...LEAST, ...change }));

test('every shipped scenario reads, and each of its expectations is of a measure there is', (t) => {
  t.true(scenarioNames().length > 0);
  for (const name of scenarioNames()) {
    const scenario = readScenario(name);
    if (isLight(scenario)) continue;
    for (const expectation of scenario.expect) t.notThrows(() => new Check(expectation, scenario), name);
  }
});

test('a scenario with a mistake is refused with the place of the mistake', (t) => {
  t.throws(() => parseScenario('x', '{'), { code: 'sim/bad-scenario' });
  t.throws(() => parse({ nodes: 0 }), { code: 'sim/bad-scenario', message: /nodes/ });
  t.throws(() => parse({ timeline: [{ at: '1s', do: 'dance' }] }), { code: 'sim/bad-scenario', message: /timeline/ });
  t.throws(() => parse({ timeline: [{ at: 'soon', do: 'heal' }] }), { code: 'sim/bad-scenario' });
  t.throws(() => parse({ colour: 'red' }), { code: 'sim/bad-scenario' });
  t.throws(() => new Check({ that: 'happiness', min: 1 }, parse({})), {
    code: 'sim/bad-scenario',
    message: /happiness/,
  });
  t.throws(() => new Check({ that: 'online' }, parse({})), { code: 'sim/bad-scenario', message: /neither/ });
  t.throws(() => parse({ timeline: [{ at: '1s', do: 'besiege', who: 'all', every: '1s', times: 1 }] }), {
    code: 'sim/bad-scenario',
    message: /timeline\/0.*victim/,
  });
  t.throws(() => readScenario('../package'), { code: 'sim/unknown-scenario' });
});

test('a scenario may be a file of its own', (t) => {
  const file = join(temporaryDirectory(t), 'mine.json');
  t.throws(() => readScenario(file), { code: 'sim/no-scenario-file', message: /ENOENT/ });
  writeFileSync(file, JSON.stringify(LEAST));
  t.like(readScenario(file), { name: file, nodes: 3 });
  writeFileSync(file, JSON.stringify({ ...LEAST, model: 'magic' }));
  t.throws(() => readScenario(file), { code: 'sim/bad-scenario' });
  writeFileSync(file, '{');
  t.throws(() => readScenario(file), { code: 'sim/bad-scenario', message: /mine\.json is no scenario/ });
});

test('a group that is not there is a mistake of the scenario', async (t) => {
  for (const step of [
    { at: '0s', do: 'start', who: 'ghosts' },
    { at: '0s', do: 'meet', one: 0, other: 9 },
  ])
    await t.throwsAsync(simulate(parse({ timeline: [step] })), {
      code: 'sim/bad-scenario',
      message: /ghosts|machine 9/,
    });
});

test('settings of a group come over those of all', async (t) => {
  const changed = parse({
    nodes: 6,
    minutes: 2,
    anchors: 1,
    config: { mesh: { maxMesh: 5 } },
    groups: { small: { first: 5, last: 5 }, honest: { first: 0, last: 4 } },
    groupConfig: { small: { mesh: { maxMesh: 2 } } },
    timeline: [{ at: '0s', do: 'start', who: 'all' }],
    expect: [
      { that: 'mesh-min', min: 2, max: 2 },
      { that: 'mesh-among-honest', min: 4 },
    ],
  });
  t.deepEqual(
    (await simulate(changed)).checks.map(({ passed }) => passed),
    [true, true],
  );
});

const RUN = fileURLToPath(new URL('../../sim/run.js', import.meta.url));
const sim = (...args: string[]) => spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });

test('help and the list go to standard output, mistakes to the other with exit code 2', (t) => {
  for (const help of ['--help', '-h']) t.like(sim(help), { status: 0, stderr: '', stdout: `${USAGE}\n` });
  const { status, stdout } = sim('list', '--json');
  t.is(status, 0);
  t.deepEqual(
    (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name),
    [...scenarioNames()],
  );
  const wrong = sim('./no-such-file.json');
  t.is(wrong.status, 2);
  t.regex(wrong.stderr, /no-such-file\.json cannot be read: ENOENT/);
});

test('an expectation that does not hold fails the run, with the worst value', async (t) => {
  const report = await simulate(
    parse({
      timeline: [
        { at: '0s', do: 'start', who: 'all' },
        { at: '20s', do: 'stop', who: { first: 1, last: 1 } },
        { at: '40s', do: 'start', who: 'all' },
      ],
      expect: [
        { that: 'online', from: '10s', until: '50s', min: 3 },
        { that: 'online', min: 3 },
      ],
    }),
  );
  t.false(report.passed);
  t.like(report.checks[0], { passed: false, value: 2, atMs: 20_000 });
  t.like(report.checks[1], { passed: true, value: 3, atMs: 60_000 });
});

test('the light model repeats itself, and a figure out of bounds fails', (t) => {
  const what = 'node just joined, 5 links, 101 slots';
  const expect = [{ case: what, that: 'medianMs', max: 1 }];
  const scenario: LightScenario = { name: 'x', about: 'x', model: 'worm', seed: 1, searches: 3, expect };
  const report = simulateLight(scenario);
  t.false(report.passed);
  t.is(simulateLight(scenario).traceHash, report.traceHash);
  const none = { ...scenario, expect: [{ case: what, that: 'happiness', max: 1 }] };
  t.throws(() => simulateLight(none), { code: 'sim/bad-scenario' });
});

test('a grown mesh of the light model has no part of its own and nobody above its slots', (t) => {
  const model = new GrowthModel({ nodes: 200, slots: 12, minutes: 4, seed: 1 });
  const figures = model.run();
  t.like(figures, { what: '200 nodes, 12 slots', partitions: 1, wellConnected: 1, slotsMedian: 12 });
  t.true(figures.within3 > 0.95);
  t.deepEqual(new GrowthModel({ nodes: 200, slots: 12, minutes: 4, seed: 1 }).run(), figures);
});

test('options are checked before anything runs', (t) => {
  t.like(readOptions(['cold-start', '--nodes', '30', '--seed', 'x', '--json']), {
    scenario: 'cold-start',
    nodes: 30,
    seed: 'x',
    json: true,
  });
  for (const args of [
    ['a', 'b'],
    ['a', '--nodes', '-1'],
    ['a', '--nodes', '1.5'],
    ['a', '--minutes', 'x'],
    ['a', '--loud'],
  ])
    t.throws(() => readOptions(args), { code: 'sim/bad-option' }, args.join(' '));
});

test('a file that is no recording is refused', (t) => {
  const file = join(temporaryDirectory(t), 'trace');
  for (const text of ['', 'nonsense\n', '{"format":"itsgoin-sim-trace/0"}\n']) {
    writeFileSync(file, text);
    t.throws(() => new Replay(file), { code: 'sim/bad-recording' });
  }
});

test('durations, parts of a graph and quantiles', (t) => {
  t.deepEqual(['250ms', '90s', '1.5m', '4h', '8d'].map(milliseconds), [250, 90_000, 90_000, 14_400_000, 691_200_000]);
  t.deepEqual([59_940, 61_000, 3_900_000, 3 * 86_400_000].map(showDuration), [
    '59.9 s',
    '1 m 01 s',
    '1 h 05 m',
    '3 d 0 h',
  ]);
  const graph = new Map([
    [1, new Set([2])],
    [2, new Set([1])],
    [3, new Set<number>()],
    [4, new Set([5])],
    [5, new Set([4, 6])],
    [6, new Set([5])],
  ]);
  t.deepEqual(
    components(graph).map((part) => part.length),
    [3, 2, 1],
  );
  t.is(quantile([1, 2, 3, 4], 0.5), 3);
  t.is(quantile([], 0.5), 0);
});
