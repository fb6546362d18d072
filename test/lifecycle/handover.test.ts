import { writeFileSync } from 'node:fs';
import test from 'ava';
import { contributionsChanged, defineTopic, pluginChanged } from '../../kernel/index.ts';
import { PROBATION_FAILURES } from '../../kernel/lifecycle/probation.ts';
import { DRAIN_MS } from '../../kernel/lifecycle/swap.ts';
import { counterPlugin, hostRig, type HostRig } from './rig.ts';

const HAPPENED = defineTopic<number>('test/happened');
/** Counts what it hears; its command takes its time. */
const LISTENING = {
  setup: "ctx.on({ kind: 'topic', name: 'test/happened' }, (n) => { count += n; });",
  parts: 'loops: { beat: { everyMs: 1_000, jitter: 0, run() { count += 1_000; } } },',
};
const slow = (code: string, ms: number): string =>
  code.replace(
    "'counter.add': () => add()",
    `'counter.add': async (_, { signal }) => { await ctx.clock.sleep(${ms}, signal); return add(); }`,
  );

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function count(rig: HostRig): Promise<number> {
  return ((await rig.run('counter.add')) as { count: number }).count;
}

test('after a handover that failed the old code hears what it missed, answers who waited, and its loops go on', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', slow(counterPlugin(LISTENING), 300));
  await rig.host.add(path);
  rig.host.begin();
  const running = rig.run('counter.add');
  writeFileSync(path, counterPlugin({ parts: "restore() { throw new Error('cannot'); }," }));
  const swap = rig.host.reload('counter');
  await settle();
  rig.bus.publish(HAPPENED, 10);
  const waiting = rig.run('counter.add');
  await settle();
  t.is(rig.host.inspect('counter').held, 1);
  await rig.clock.advance(300);
  t.like(await swap, { outcome: 'rolled-back', generation: 1 });
  t.deepEqual(await running, { count: 1 });
  await rig.clock.advance(300);
  t.deepEqual(await waiting, { count: 12 });
  rig.bus.publish(HAPPENED, 10);
  await rig.clock.advance(1_200);
  const last = rig.run('counter.add');
  await rig.clock.advance(300);
  t.deepEqual(await last, { count: 1_023 });
  t.deepEqual(rig.bus.subscriptions('counter'), ['test/happened']);
});

test('a swap says how long it held calls, and aborts those that take longer than it waits', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', slow(counterPlugin(), 5_000));
  await rig.host.add(path);
  const running = rig.run('counter.add');
  writeFileSync(path, counterPlugin({ step: 7 }));
  const swap = rig.host.reload('counter');
  const late = t.throwsAsync(running, { code: 'lifecycle/swap-aborted-call' });
  await settle();
  await rig.clock.advance(DRAIN_MS - 1);
  t.is(rig.host.list()[0]?.generation, 1);
  await rig.clock.advance(1);
  t.like(await swap, { outcome: 'committed', generation: 2, heldMs: DRAIN_MS });
  t.is(await count(rig), 7);
  await rig.clock.advance(5_000);
  await late;
});

test('a swap held new callers for a second while a command ran that waits for the network', async (t) => {
  const rig = hostRig(t);
  const restart = (code: string): string => code.replace("{ about: 'Add'", "{ restart: true, about: 'Add'");
  const path = rig.write('counter.ts', restart(slow(counterPlugin(), 5_000)));
  await rig.host.add(path);
  const running = rig.run('counter.add');
  writeFileSync(path, restart(slow(counterPlugin({ step: 7 }), 100)));
  // The clock stands still.
  t.like(await rig.host.reload('counter'), { outcome: 'committed', heldMs: 0 });
  await rig.clock.advance(100);
  t.deepEqual(await running, { count: 7 });
});

test('a handover that failed runs what it interrupted again in the old code', async (t) => {
  const rig = hostRig(t);
  const restart = (code: string): string => code.replace("{ about: 'Add'", "{ restart: true, about: 'Add'");
  const path = rig.write('counter.ts', restart(slow(counterPlugin(), 300)));
  await rig.host.add(path);
  const running = rig.run('counter.add');
  writeFileSync(path, restart(counterPlugin({ parts: "restore() { throw new Error('cannot'); }," })));
  t.like(await rig.host.reload('counter'), { outcome: 'rolled-back', generation: 1 });
  await rig.clock.advance(300);
  t.deepEqual(await running, { count: 1 });
});

test('a state that its own schema does not allow is not handed over, and the reason names the place', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  writeFileSync(
    path,
    counterPlugin().replace(
      'count: Type.Integer() }),\n  commands',
      'count: Type.Integer({ minimum: 5 }) }),\n  commands',
    ),
  );
  const { outcome, reason } = await rig.host.reload('counter');
  t.is(outcome, 'rolled-back');
  t.regex(reason ?? '', /state\/count/);
});

test('code without state, before or after, starts anew', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  t.is(await count(rig), 1);
  writeFileSync(path, counterPlugin().replace('restore: (state) => { count = state.count; },', ''));
  t.is((await rig.host.reload('counter')).outcome, 'committed');
  t.is(await count(rig), 1);
  writeFileSync(path, counterPlugin().replace('snapshot: () => ({ count }),', ''));
  await rig.host.reload('counter');
  writeFileSync(path, counterPlugin({ step: 2 }));
  t.is((await rig.host.reload('counter')).outcome, 'committed');
  t.is(await count(rig), 2);
});

test('failures just below the limit of probation do not send new code back', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  rig.host.begin();
  const failing = (times: number): string =>
    counterPlugin({
      step: 10,
      setup: `let left = ${times};`,
      parts: "loops: { bad: { everyMs: 100, jitter: 0, run() { if (left-- > 0) throw new Error('bad'); } } },",
    });
  writeFileSync(path, failing(PROBATION_FAILURES - 1));
  await rig.host.reload('counter');
  await rig.clock.advance(5_000);
  t.is(await count(rig), 10);
  const outcomes: unknown[] = [];
  rig.bus.subscribe('test', pluginChanged, ({ outcome, reason }) => void outcomes.push([outcome, reason]));
  writeFileSync(path, failing(PROBATION_FAILURES));
  await rig.host.reload('counter');
  await rig.clock.advance(5_000);
  await settle();
  t.deepEqual(outcomes[0], ['committed', undefined]);
  t.like(outcomes.at(-1), ['rolled-back']);
  t.is(outcomes.filter((each) => (each as string[])[0] === 'rolled-back').length, 1);
});

test('healthy() that throws sends new code back with its words', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  writeFileSync(path, counterPlugin({ step: 10, parts: "healthy() { throw new Error('cannot say'); }," }));
  await rig.host.reload('counter');
  await rig.clock.advance(1_000);
  await settle();
  t.is(await count(rig), 1);
  t.regex(rig.host.list()[0]?.reason ?? '', /healthy\(\) threw: Error: cannot say/);
});

test('a new plugin that fails in its first half minute ran on', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin({ parts: 'healthy: () => false,' })));
  await rig.clock.advance(1_000);
  await settle();
  t.like(rig.host.list()[0], { state: 'failed', reason: 'switched off: it reported itself unhealthy' });
  t.like(await rig.host.reload('counter'), { outcome: 'committed' });
});

test('what ships with the node has nothing to go back to and is not on probation', async (t) => {
  const rig = hostRig(t);
  await rig.start([rig.write('counter.ts', counterPlugin({ parts: 'healthy: () => false,' }))]);
  await rig.clock.advance(60_000);
  t.like(rig.host.list()[0], { state: 'active', generation: 1, reason: undefined });
});

test('contributions that go with a plugin switched off are told of by point', async (t) => {
  const rig = hostRig(t);
  const points: string[] = [];
  rig.bus.subscribe('test', contributionsChanged, ({ point }) => void points.push(point));
  const code = counterPlugin({
    fields: 'points: [definePoint("counter/step", { limit: 2 })],',
    parts: 'contributes: [contribute(definePoint("counter/step", { limit: 2 }), {})],',
  }).replace('import { ', 'import { contribute, definePoint, ');
  t.is((await rig.host.add(rig.write('counter.ts', code))).outcome, 'committed');
  await rig.host.reload('counter');
  await rig.host.disable('counter');
  t.deepEqual(points, ['counter/step', 'counter/step']);
});
