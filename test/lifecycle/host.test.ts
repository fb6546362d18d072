import { writeFileSync } from 'node:fs';
import test from 'ava';
import { pluginChanged, serviceArrived, serviceDeparted } from '../../kernel/index.ts';
import { CLEANUP_LIMIT_MS } from '../../kernel/lifecycle/scope.ts';
import { PROBATION_FAILURES, PROBATION_MS } from '../../kernel/lifecycle/probation.ts';
import { counterPlugin, hostRig } from './rig.ts';

test('state goes over to the new code, and the new code answers', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  t.like(await rig.host.add(path), { outcome: 'committed', generation: 1 });
  t.deepEqual(await rig.run('counter.add'), { count: 1 });
  writeFileSync(path, counterPlugin({ version: '1.1.0', step: 10 }));
  t.like(await rig.host.reload('counter'), { outcome: 'committed', generation: 2 });
  t.deepEqual(await rig.run('counter.add'), { count: 11 });
  t.like(rig.host.list()[0], { name: 'counter', version: '1.1.0', state: 'active' });
});

test('code that does not load, does not fit or fails in setup is refused and the old code goes on', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  const refusals: [string, RegExp][] = [
    ['this is not code', /could not be loaded/],
    [counterPlugin().replace("kernel: '^1'", "kernel: '^9'"), /"kernel" is "\^9"/],
    [counterPlugin().replace("name: 'counter'", "name: 'other'"), /is the plugin "other", not "counter"/],
    [counterPlugin({ setup: "throw new Error('boom');" }), /boom/],
    [counterPlugin().replace("commands: { 'counter.add': () => add() },", ''), /a handler for command "counter\.add"/],
    [counterPlugin({ fields: "inject: { x: defineToken('nobody') }," }), /needs the service "nobody"/],
  ];
  for (const [code, reason] of refusals) {
    writeFileSync(path, code);
    const outcome = await rig.host.reload('counter');
    t.is(outcome.outcome, 'refused');
    t.regex(outcome.reason ?? '', reason);
    t.like(rig.host.list()[0], { state: 'active', generation: 1 });
  }
  t.deepEqual(await rig.run('counter.add'), { count: 1 });
});

test('a state the new code cannot take rolls back, and the old code keeps its state', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  await rig.run('counter.add');
  writeFileSync(
    path,
    counterPlugin({ version: '2.0.0' }).replace(
      'count: Type.Integer() }),\n  commands',
      'count: Type.String() }),\n  commands',
    ),
  );
  const outcome = await rig.host.reload('counter');
  t.is(outcome.outcome, 'rolled-back');
  t.regex(outcome.reason ?? '', /could not take over state: state\/count must be string\. .*disable and enable/);
  t.deepEqual(await rig.run('counter.add'), { count: 2 });
});

test('a snapshot that throws could not be mended by saving the plugin again', async (t) => {
  const rig = hostRig(t);
  const broken = counterPlugin().replace(
    'snapshot: () => ({ count })',
    "snapshot: () => { throw new Error('no state'); }",
  );
  const path = rig.write('counter.ts', broken);
  await rig.host.refresh(path);
  await rig.run('counter.add');
  rig.write('counter.ts', counterPlugin({ version: '1.0.1' }));
  await rig.host.refresh(path);
  t.like(rig.host.list()[0], { state: 'active', generation: 1, version: '1.0.0' });
  t.regex(rig.host.list()[0]?.reason ?? '', /could not hand over its state: no state\. Save or reload once more/);
  t.deepEqual(await rig.run('counter.add'), { count: 2 });
  await rig.host.refresh(path);
  t.like(rig.host.list()[0], { state: 'active', generation: 2, version: '1.0.1' });
  t.true(rig.log.events().includes('state-lost'));
  t.deepEqual(await rig.run('counter.add'), { count: 1 });
});

test('probation swaps back after repeated failures', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  rig.host.begin();
  writeFileSync(
    path,
    counterPlugin({
      step: 10,
      parts: "loops: { bad: { everyMs: 100, jitter: 0, run() { throw new Error('bad loop'); } } },",
    }),
  );
  await rig.host.reload('counter');
  t.deepEqual(await rig.run('counter.add'), { count: 10 });
  await rig.clock.advance(100 * PROBATION_FAILURES + 600);
  t.deepEqual(await rig.run('counter.add'), { count: 11 });
  t.regex(rig.host.list()[0]?.reason ?? '', /rolled back: \d failures within 30 s/);
});

test('probation swaps back when the new code says that it is unhealthy, and ends after its time', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  writeFileSync(path, counterPlugin({ step: 10, parts: 'healthy: () => count < 20,' }));
  await rig.host.reload('counter');
  await rig.run('counter.add');
  await rig.clock.advance(PROBATION_MS / 2);
  t.deepEqual(await rig.run('counter.add'), { count: 20 });
  await rig.clock.advance(PROBATION_MS / 4);
  t.deepEqual(await rig.run('counter.add'), { count: 21 });

  writeFileSync(path, counterPlugin({ step: 100, parts: 'healthy: () => count < 200,' }));
  await rig.host.reload('counter');
  await rig.clock.advance(PROBATION_MS + 1_000);
  await rig.run('counter.add');
  await rig.clock.advance(PROBATION_MS);
  t.is(((await rig.run('counter.add')) as { count: number }).count, 221);
});

test('a disabled plugin answers service-off, and its comings and goings are events', async (t) => {
  const rig = hostRig(t);
  const seen: string[] = [];
  for (const topic of [serviceArrived, serviceDeparted]) {
    rig.bus.subscribe('test', topic, ({ token }: { token: string }) => void seen.push(`${topic.name} ${token}`));
  }
  rig.bus.subscribe('test', pluginChanged, ({ outcome }) => void seen.push(outcome));
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  await rig.host.disable('counter');
  await t.throwsAsync(rig.run('counter.add'), { code: 'command/unknown-command' });
  await rig.host.enable('counter');
  t.deepEqual(await rig.run('counter.add'), { count: 1 });
  t.deepEqual(seen, [
    'service/arrived counter',
    'committed',
    'service/departed counter',
    'disabled',
    'service/arrived counter',
    'committed',
  ]);
});

test('a dependant waits out the swap of its provider and finds the new service', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  await rig.host.add(
    rig.write(
      'user.ts',
      `
import { defineCommand, definePlugin, defineToken, Type } from 'itsgoin';
export default definePlugin({
  name: 'user', version: '1.0.0', kernel: '^1', about: 'Uses',
  inject: { counter: defineToken('counter'), gone: { optional: defineToken('gone') } },
  commands: { 'user.add': defineCommand({ about: 'Add', params: Type.Object({}), result: Type.Any() }) },
  setup: (ctx) => ({ commands: { 'user.add': async () => (await ctx.deps.gone.tryUse(() => 0)) ?? ctx.deps.counter.use((counter) => counter.add()) } }),
});`,
    ),
  );
  writeFileSync(path, counterPlugin({ step: 5 }));
  const swap = rig.host.reload('counter');
  const answers = [];
  for (let call = 0; call < 50; call++) answers.push(await rig.run('user.add'));
  await swap;
  answers.push(await rig.run('user.add'));
  const counts = answers.map((answer) => (answer as { count: number }).count);
  t.is(new Set(counts).size, counts.length, 'no call lost or doubled');
  t.true(counts.every((count, index) => index === 0 || count > (counts[index - 1] as number)));
  await rig.host.disable('counter');
  await t.throwsAsync(rig.run('user.add'), { code: 'lifecycle/service-off' });
});

test('events during a swap reach exactly one generation', async (t) => {
  const rig = hostRig(t);
  const listening = {
    fields: '',
    setup: "ctx.on({ kind: 'topic', name: 'test/happened' }, () => void count++);",
  };
  const path = rig.write('counter.ts', counterPlugin(listening));
  await rig.host.add(path);
  const topic = { kind: 'topic' as const, name: 'test/happened' };
  let published = 0;
  for (let round = 1; round <= 20; round++) {
    writeFileSync(path, counterPlugin({ ...listening, version: `1.0.${round}` }));
    let swapping = true;
    const swap = rig.host.reload('counter').finally(() => {
      swapping = false;
    });
    while (swapping) {
      rig.bus.publish(topic, {});
      published++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.is((await swap).outcome, 'committed');
  }
  t.deepEqual(await rig.run('counter.add'), { count: published + 1 });
});

test('setup that takes what it does not declare is undone when it fails', async (t) => {
  const rig = hostRig(t);
  const path = rig.write(
    'counter.ts',
    counterPlugin({
      setup:
        "ctx.on({ kind: 'topic', name: 'x/happened' }, () => {}); ctx.defer(() => { globalThis.undone = true; }); throw new Error('late');",
    }),
  );
  t.is((await rig.host.add(path)).outcome, 'refused');
  t.true((globalThis as { undone?: boolean }).undone);
  t.deepEqual(rig.bus.subscriptions('counter'), []);
});

test('twenty reloads leave nothing behind', async (t) => {
  const rig = hostRig(t);
  const path = rig.write(
    'counter.ts',
    counterPlugin({
      setup: "ctx.on({ kind: 'topic', name: 'x/happened' }, () => {}); ctx.defer(() => {});",
      parts: 'loops: { idle: { everyMs: 1000, run() {} } },',
    }),
  );
  await rig.host.add(path);
  rig.host.begin();
  await rig.host.reload('counter');
  const before = { timers: rig.clock.pending, inspection: rig.host.inspect('counter') };
  for (let round = 0; round < 20; round++) t.is((await rig.host.reload('counter')).outcome, 'committed');
  const after = rig.host.inspect('counter');
  t.is(rig.clock.pending, before.timers);
  t.is(after.cleanups, before.inspection.cleanups);
  t.deepEqual(after.subscriptions, before.inspection.subscriptions);
  t.deepEqual(rig.bus.subscriptions('counter'), ['x/happened']);
});

test('a cleanup that hangs delays the swap by its limit and no more', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin({ setup: 'ctx.defer(() => new Promise(() => {}));' }));
  await rig.host.add(path);
  writeFileSync(path, counterPlugin());
  const swap = rig.host.reload('counter');
  t.deepEqual(await rig.run('counter.add'), { count: 1 });
  while (!rig.log.events().includes('cleanup-timeout')) {
    await new Promise((resolve) => setImmediate(resolve));
    await rig.clock.advance(CLEANUP_LIMIT_MS);
  }
  t.is((await swap).outcome, 'committed');
});

test('config is checked by name and changing it is a swap with the same code', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  await t.throwsAsync(rig.host.configure('counter', { strat: 3 }), { message: /strat/ });
  t.is((await rig.host.configure('counter', { start: 3 })).outcome, 'committed');
  t.deepEqual(rig.host.inspect('counter').config, { start: 3 });
});

test('a fact published while its generation is drained was lost', async (t) => {
  const rig = hostRig(t);
  const heard: unknown[] = [];
  const topic = { kind: 'topic' as const, name: 'counter/finished' };
  rig.bus.subscribe('test', topic, (event) => void heard.push(event));
  const slow = counterPlugin().replace(
    "'counter.add': () => add()",
    "'counter.add': async () => { await ctx.clock.sleep(100); ctx.emit({ kind: 'topic', name: 'counter/finished' }, {}); return add(); }",
  );
  await rig.host.add(rig.write('counter.ts', slow));
  const call = rig.run('counter.add');
  const swap = rig.host.reload('counter');
  while (rig.host.inspect('counter').generation === 1) await rig.clock.advance(50);
  await Promise.all([call, swap]);
  t.is(heard.length, 1);
});

test('a plugin whose provider was switched off was not stopped with the node', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  const user = `
import { definePlugin, defineToken } from 'itsgoin';
export default definePlugin({
  name: 'user', version: '1.0.0', kernel: '^1', about: 'Uses', inject: { counter: defineToken('counter') },
  setup(ctx) { ctx.defer(() => { globalThis.userStopped = true; }); return {}; },
});`;
  await rig.host.add(rig.write('user.ts', user));
  await rig.host.disable('counter');
  await rig.host.stop();
  t.true((globalThis as { userStopped?: boolean }).userStopped);
});
