import { join } from 'node:path';
import test from 'ava';
import { answerOf, contribute, definePoint, Type } from '../../kernel/index.ts';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { CallGate } from '../../kernel/lifecycle/call-gate.ts';
import { Points } from '../../kernel/lifecycle/points.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { counterPlugin, hostRig } from './rig.ts';

const rival = (changes: (code: string) => string): string =>
  changes(counterPlugin().replace("name: 'counter'", "name: 'rival'"));

/** Code of a contributor is called as it is. */
const call = <R>(code: () => R): R => code();

test('a plugin may not offer a service or a command that another one has, until that one is off', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  const service = rig.write(
    'service.ts',
    rival((code) => code.replaceAll('counter.add', 'rival.add')),
  );
  t.regex((await rig.host.add(service)).reason ?? '', /service "counter" is already provided by counter/);
  const command = rig.write(
    'command.ts',
    rival((code) => code.replaceAll("defineToken('counter')", "defineToken('rival')")),
  );
  t.regex((await rig.host.add(command)).reason ?? '', /command "counter\.add" already belongs to counter/);
  t.deepEqual(
    rig.host.list().map(({ name }) => name),
    ['counter'],
  );
  t.is((await rig.host.reload('counter')).outcome, 'committed', 'its own next generation may have them');
  await rig.host.disable('counter');
  t.is((await rig.host.add(command)).outcome, 'committed');
  await rig.host.remove('rival');
  t.is((await rig.host.add(service)).outcome, 'committed');
  t.regex((await rig.host.enable('counter')).reason ?? '', /already provided by rival/);
});

test('a path where there is no plugin and was none is no news', async (t) => {
  const rig = hostRig(t);
  await rig.host.refresh(join(rig.dir, 'plugins', 'nowhere.ts'));
  await rig.host.refresh(rig.write('notes.txt', 'not code'));
  t.deepEqual(rig.host.list(), []);
  t.deepEqual(rig.log.events(), []);
});

test('commands, reload and replace of what there is not are refused by name', async (t) => {
  const rig = hostRig(t);
  for (const change of [
    () => rig.host.reload('nobody'),
    () => rig.host.enable('nobody'),
    () => rig.host.disable('nobody'),
    () => rig.host.replace('nobody', 'x'),
    () => rig.host.configure('nobody', {}),
  ])
    await t.throwsAsync(change, { code: 'lifecycle/unknown-plugin', message: /nobody/ });
  const path = rig.write('broken.ts', 'not code (');
  await rig.host.refresh(path);
  await t.throwsAsync(rig.host.configure('broken', {}), { code: 'lifecycle/not-loaded' });
  t.is((await rig.host.enable('broken')).outcome, 'refused');
});

test('a contribution that is called with a signal that has aborted is not run', async (t) => {
  const point = definePoint<() => string>('a/point', { limit: 4, answers: answerOf(Type.String()) });
  const points = new Points(new VirtualClock(), recordingLog());
  const gate = new CallGate('giver');
  gate.open();
  const failures: unknown[] = [];
  const contributor = { plugin: 'giver', gate, call, reportFailure: (where: string) => void failures.push(where) };
  points.install(contributor, [point], [contribute(point, () => 'given')]);
  const [contribution] = points.contributions(point);
  t.is(await contribution?.use((give) => give()), 'given');
  t.is(
    contribution?.ask((give) => give(), 'fallback'),
    'given',
  );
  const never = contribution?.use(() => new Promise(() => {}), { signal: AbortSignal.abort(new Error('too late')) });
  await t.throwsAsync(async () => never, { message: 'too late' });
  t.deepEqual(failures, []);
  points.withdraw('giver');
  t.is(
    contribution?.ask((give) => give(), 'fallback'),
    'fallback',
  );
  await t.throwsAsync(async () => contribution?.use((give) => give()), { code: 'lifecycle/service-off' });
});

test('only what contribute made is a contribution, under a name like those of points', (t) => {
  const point = definePoint<object>('a/point', { limit: 2 });
  const points = new Points(new VirtualClock(), recordingLog());
  const named = (name: string) => points.problem('giver', [], [contribute(point, {}, { name })]);
  for (const name of ['step', 'giver/step', 'a/b/c-2']) t.is(named(name), undefined, name);
  for (const name of ['', 'Step', '/step', 'step/', 'a//b', 'a step']) t.regex(named(name) ?? '', /name is like/, name);
  t.regex(points.problem('giver', [], [{ implementation: {} } as never]) ?? '', /not made by contribute/);
  t.regex(points.problem('giver', [], [undefined as never]) ?? '', /not made by contribute/);
  const two = [contribute(point, {}, { name: 'x' }), contribute(point, {}, { name: 'x' })];
  t.regex(points.problem('giver', [], two) ?? '', /two contributions to "a\/point" are named "x"/);
});

test('what does not fit the check of a new owner is left out with a word in the log, and a check that throws refuses', async (t) => {
  const log = recordingLog();
  const points = new Points(new VirtualClock(), log);
  const open = definePoint<{ size: number }>('a/point', { limit: 4 });
  const strict = definePoint<{ size: number }>('a/point', {
    limit: 4,
    check(candidate) {
      const { size } = candidate as { size: number };
      if (size < 0) throw new Error('negative');
      return size > 10 ? 'too big' : undefined;
    },
  });
  const by = (plugin: string) => ({ plugin, gate: new CallGate(plugin), call, reportFailure: () => t.fail() });
  points.install(by('small'), [], [contribute(open, { size: 1 })]);
  points.install(by('big'), [], [contribute(open, { size: 11 })]);
  const names = () => points.contributions(open).map(({ name }) => name);
  t.deepEqual(names(), ['big', 'small'], 'nobody owns the point yet');
  points.install(by('owner'), [strict], []);
  t.is(points.ownerOf('a/point'), 'owner');
  t.deepEqual(names(), ['small']);
  t.deepEqual(log.events(), ['contribution-left-out']);
  t.regex(points.problem('big', [], [contribute(open, { size: 12 })]) ?? '', /does not fit: too big/);
  t.regex(points.problem('big', [], [contribute(open, { size: -1 })]) ?? '', /does not fit: negative/);
  t.is(points.problem('big', [], [contribute(open, { size: 10 })]), undefined);
  t.deepEqual(points.withdraw('owner'), []);
  t.is(points.ownerOf('a/point'), undefined);
  t.deepEqual(names(), ['big', 'small']);
});

test('what a method answers is read with its own this, and what a promise brings as well', async (t) => {
  class Counter {
    #count = 0;
    readonly step = 2;
    next(): number {
      this.#count += this.step;
      return this.#count > 2 ? ('many' as never) : this.#count;
    }
    async later(): Promise<number> {
      return this.next();
    }
  }
  const number = answerOf<number>(Type.Number());
  const point = definePoint<Counter>('a/point', { answers: { next: number, later: number } });
  const points = new Points(new VirtualClock(), recordingLog());
  const gate = new CallGate('giver');
  gate.open();
  const failures: string[] = [];
  const reportFailure = (_where: string, error: unknown) => void failures.push((error as Error).message);
  points.install(
    { plugin: 'giver', gate, call, reportFailure },
    [point],
    [contribute(point, Object.freeze(new Counter()))],
  );
  const [counter] = points.contributions(point);
  t.is(
    counter?.ask((it) => it.step + it.next(), 0),
    4,
  );
  t.is(
    counter?.ask((it) => it.next(), -1),
    -1,
  );
  await t.throwsAsync(async () => counter?.use((it) => it.later()), { message: /its answer does not fit/ });
  t.is(failures.length, 2);
});
