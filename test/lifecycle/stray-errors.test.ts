import { join } from 'node:path';
import test from 'ava';
import { runAs } from '../../kernel/lifecycle/attribution.ts';
import { RunMarks } from '../../kernel/lifecycle/run-marks.ts';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { counterPlugin, hostRig } from './rig.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an error without a stack was nobody’s', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  t.is(
    runAs('counter', () => rig.host.strays.charge('x')),
    'counter',
  );
  t.is(rig.host.strays.charge('x'), undefined);
});

test('three errors that nothing caught switch a third-party plugin off, and its code stays off after a restart', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  await rig.clock.advance(31_000);
  const lost = new Error('lost');
  lost.stack = `Error: lost\n    at tick (file://${path}?rev=1:3:4)`;
  for (let n = 0; n < 3; n++) {
    t.is(rig.host.list()[0]?.state, 'active');
    t.is(rig.host.strays.charge(lost), 'counter');
  }
  await settle();
  t.like(rig.host.list()[0], { state: 'failed' });
  t.regex(rig.host.list()[0]?.reason ?? '', /switched off: 3 errors that nothing caught, the last: lost/);
});

test('an error of the kernel alone is charged to nobody, and reading a hostile one harms nobody', (t) => {
  const rig = hostRig(t);
  t.is(rig.host.strays.charge(new Error('ours')), undefined);
  const trap = Object.defineProperty(new Error('trap'), 'stack', {
    get() {
      throw new Error('in the getter');
    },
  });
  t.is(rig.host.strays.charge(trap), undefined);
});

test('a timer of the clock that throws ended the node, and one of an old generation fired in the new one', async (t) => {
  const rig = hostRig(t);
  const parts =
    "activate() { ctx.clock.timer(40, () => { throw new Error('tick'); }); ctx.clock.timer(5_000, () => ctx.counters.add('late')); },";
  await rig.host.add(rig.write('counter.ts', counterPlugin({ parts })));
  rig.host.begin();
  await rig.clock.advance(100);
  t.is(rig.host.inspect('counter').counters.failures, 1);
  await rig.host.disable('counter');
  await rig.clock.advance(10_000);
  t.is(rig.host.inspect('counter').counters.late, undefined);
});

test('code that the last run ended in was started again, and so ended every run', (t) => {
  const file = join(temporaryDirectory(t), 'marks.json');
  const marked = { path: '/plugins/bad.ts', revision: 'r1', name: 'bad' };
  const open = (): RunMarks => new RunMarks(file, new VirtualClock(), recordingLog());
  open().starting(marked);
  const second = open();
  t.regex(second.leftOut(marked.path, 'r1')?.reason ?? '', /ended while it was being started/);
  t.is(second.leftOut(marked.path, 'r2'), undefined);
  second.starting({ ...marked, revision: 'r2' });
  second.live({ ...marked, revision: 'r2' });
  second.close();
  t.is(open().leftOut(marked.path, 'r1'), undefined);
});

test('a plugin that ends the node a while after each start was started for ever, and then all were left out for it', (t) => {
  const file = join(temporaryDirectory(t), 'marks.json');
  const open = (): RunMarks => new RunMarks(file, new VirtualClock(), recordingLog());
  const good = { path: '/plugins/good.ts', revision: 'r1', name: 'good' };
  const bad = { path: '/plugins/bad.ts', revision: 'r1', name: 'bad' };
  const first = open();
  first.live(good);
  first.close();
  for (let run = 0; run < 3; run++) {
    const marks = open();
    t.is(marks.leftOut(bad.path, 'r1'), undefined);
    for (const each of [good, bad]) marks.live(each);
  }
  const fourth = open();
  t.regex(fourth.leftOut(bad.path, 'r1')?.reason ?? '', /ended 3 times in a row without stopping while it ran/);
  t.is(fourth.leftOut(good.path, 'r1'), undefined);
  t.is(fourth.allLeftOut, undefined);
});

test('when all that run have run well before, nobody knows better than to leave out all', (t) => {
  const file = join(temporaryDirectory(t), 'marks.json');
  const open = (): RunMarks => new RunMarks(file, new VirtualClock(), recordingLog());
  const good = { path: '/plugins/good.ts', revision: 'r1', name: 'good' };
  const first = open();
  first.live(good);
  first.close();
  for (let run = 0; run < 3; run++) open().live(good);
  t.regex(open().allLeftOut ?? '', /ended 3 times in a row without stopping while these ran: good/);
});

test('an error in a CommonJS package of a plugin was nobody’s, and 200,000 at once held the event loop for eight seconds', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  const lost = new Error('lost');
  lost.stack = `Error: lost\n    at tick (${path}/node_modules/pkg/index.js:3:4)`;
  t.is(rig.host.strays.charge(lost), 'counter');
  const startedMs = performance.now();
  runAs('counter', () => {
    for (let n = 0; n < 200_000; n++) rig.host.strays.charge(new Error('again'));
  });
  t.true(performance.now() - startedMs < 2_000);
});

test('whoever held the event loop is found by file, by name and by the path it was loaded from', (t) => {
  const holders = [
    { file: '/plugins/bad/node_modules/p/i.js', line: 3 },
    { plugin: 'bad' },
    { plugin: '/plugins/bad' },
  ];
  for (const held of holders) {
    const file = join(temporaryDirectory(t), 'marks.json');
    const bad = { path: '/plugins/bad', revision: 'r1', name: 'bad' };
    new RunMarks(file, new VirtualClock(), recordingLog()).live(bad);
    const marks = new RunMarks(file, new VirtualClock(), recordingLog(), { hung: held });
    t.regex(marks.leftOut(bad.path, 'r1')?.reason ?? '', /held the event loop/);
  }
});

test('runs that lasted, and runs that were stopped, do not count as broken', async (t) => {
  const file = join(temporaryDirectory(t), 'marks.json');
  for (let run = 0; run < 6; run++) {
    const clock = new VirtualClock();
    const marks = new RunMarks(file, clock, recordingLog());
    t.is(marks.allLeftOut, undefined);
    marks.live({ path: '/plugins/good.ts', revision: 'r1', name: 'good' });
    if (run % 2 === 0) marks.close();
    else await clock.advance(700_000);
  }
  t.is(new RunMarks(file, new VirtualClock(), recordingLog()).allLeftOut, undefined);
});
