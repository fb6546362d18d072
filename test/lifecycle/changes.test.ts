import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { PROBATION_MS } from '../../kernel/lifecycle/probation.ts';
import { LOAD_LIMIT_MS } from '../../kernel/lifecycle/loader.ts';
import { counterPlugin, hostRig, type HostRig } from './rig.ts';

const OTHER = counterPlugin().replaceAll("'counter", "'other");

function savedConfig({ dir }: HostRig): Record<string, unknown> {
  return (JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as { plugins: Record<string, unknown> }).plugins;
}

/** Lets promises and file reads get as far as they can. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('one setup that hung kept every other plugin from being changed', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  const hung = rig.host.add(
    rig.write('other.ts', OTHER.replace('let count', 'await new Promise(() => {}); let count')),
  );
  await settle();
  t.like(await rig.host.reload('counter'), { outcome: 'committed', generation: 2 });
  await rig.host.stop();
  t.like(await hung, { outcome: 'refused' });
  t.deepEqual(
    rig.host.list().map(({ name }) => name),
    ['counter'],
  );
});

test('code that never ended loading held the plugin host for good', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', `await new Promise(() => {});\n${counterPlugin()}`);
  const hung = t.throwsAsync(rig.host.add(path), { code: 'lifecycle/load-failed', message: /top level/ });
  await settle();
  await rig.clock.advance(LOAD_LIMIT_MS);
  await hung;
  writeFileSync(path, counterPlugin());
  t.like(await rig.host.add(path), { outcome: 'committed' });
});

test('a plugin file that was deleted and came back stayed off', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.refresh(path);
  rmSync(path);
  const gone = rig.host.refresh(path);
  rig.write('counter.ts', counterPlugin({ step: 5 }));
  await Promise.all([gone, rig.host.refresh(path)]);
  t.deepEqual(await rig.run('counter.add'), { count: 5 });
});

test('a plugin file could not be renamed or become a folder', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.refresh(path);
  const folder = join(rig.dir, 'plugins', 'counter');
  mkdirSync(folder);
  renameSync(path, join(folder, 'plugin.ts'));
  await rig.host.refresh(path);
  await rig.host.refresh(folder);
  t.deepEqual(
    rig.host.list().map(({ name, state, source }) => [name, state, source]),
    [['counter', 'active', folder]],
  );
});

test('a deleted file that never loaded stayed in the list', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('broken.ts', 'not code (');
  await rig.host.refresh(path);
  t.like(rig.host.list()[0], { name: 'broken', state: 'failed' });
  rmSync(path);
  await rig.host.refresh(path);
  t.deepEqual(rig.host.list(), []);
});

test('saving a plugin that was switched off does not switch it on, and reload says so', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.refresh(path);
  await rig.host.disable('counter');
  writeFileSync(path, counterPlugin({ step: 2 }));
  await rig.host.refresh(path);
  await t.throwsAsync(rig.host.reload('counter'), { code: 'lifecycle/off' });
  t.is(rig.host.list()[0]?.state, 'off');
  await rig.host.enable('counter');
  t.deepEqual(await rig.run('counter.add'), { count: 2 });
});

test('a change that could not be written to the config file was done all the same', async (t) => {
  const rig = hostRig(t);
  await rig.host.refresh(rig.write('counter.ts', counterPlugin()));
  const other = rig.write('replacement/plugin.ts', counterPlugin({ step: 7 }));
  writeFileSync(join(rig.dir, 'config.json'), '{ broken by hand');
  const code = { code: 'config/syntax' };
  await t.throwsAsync(rig.host.disable('counter'), code);
  await t.throwsAsync(rig.host.replace('counter', other), code);
  await t.throwsAsync(rig.host.configure('counter', { start: 3 }), code);
  await t.throwsAsync(rig.host.add(rig.write('other.ts', OTHER)), code);
  t.deepEqual(
    rig.host.list().map(({ name, state, generation }) => [name, state, generation]),
    [['counter', 'active', 1]],
  );
});

test('what is refused leaves the config file as it was', async (t) => {
  const rig = hostRig(t);
  await rig.host.refresh(
    rig.write('counter.ts', counterPlugin({ setup: "if (count > 5) throw new Error('too many');" })),
  );
  await rig.host.configure('counter', { start: 1 });
  t.is((await rig.host.configure('counter', { start: 9 })).outcome, 'refused');
  t.is((await rig.host.replace('counter', rig.write('bad/plugin.ts', 'bad ('))).outcome, 'refused');
  t.deepEqual(savedConfig(rig), { counter: { config: { start: 1 } } });
});

test('a replacement that probation sent back ran again at the next start', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.refresh(path);
  const sick = rig.write('sick/plugin.ts', counterPlugin({ step: 10, parts: 'healthy: () => false,' }));
  t.is((await rig.host.replace('counter', sick)).outcome, 'committed');
  t.like(savedConfig(rig), { counter: { source: sick } });
  await rig.clock.advance(1_000);
  await settle();
  t.deepEqual(savedConfig(rig), {});
  t.like(rig.host.list()[0], { source: path, state: 'active' });
  t.deepEqual(await rig.run('counter.add'), { count: 1 });
  await rig.clock.advance(PROBATION_MS);
  t.is((await rig.host.reload('counter')).outcome, 'committed');
});

test('settings that did not resolve could not be mended one by one', async (t) => {
  const rig = hostRig(t, () => ({ plugins: { counter: { config: { strat: 3, start: 'many' } } } }));
  await rig.host.refresh(rig.write('counter.ts', counterPlugin()));
  t.like(rig.host.list()[0], { state: 'failed' });
  t.like(rig.host.settings('counter'), {
    values: { strat: 3, start: 'many' },
    problems: [{ key: 'strat' }, { key: 'start' }],
  });
  t.like(await rig.host.configure('counter', ({ strat: _, ...rest }) => rest), { outcome: 'refused', saved: true });
  t.deepEqual(savedConfig(rig), { counter: { config: { start: 'many' } } });
  await t.throwsAsync(rig.host.configure('counter', { start: 'more' }), { code: 'config/bad-value' });
  await t.throwsAsync(rig.host.configure('counter', { start: 'many', strat: 1 }), { code: 'config/unknown-key' });
  t.like(await rig.host.configure('counter', { start: 4 }), { outcome: 'committed', saved: true });
  t.like(rig.host.list()[0], { state: 'active', reason: undefined });
  t.deepEqual(rig.host.settings('counter'), { values: { start: 4 }, problems: [] });
});

test('of two settings changed at once the first was lost', async (t) => {
  const rig = hostRig(t);
  const two = counterPlugin().replace('Type.Integer({ default: 0 })', '$&, step: Type.Integer({ default: 1 })');
  await rig.host.refresh(rig.write('counter.ts', two));
  await Promise.all([
    rig.host.configure('counter', (before) => ({ ...before, start: 4 })),
    rig.host.configure('counter', (before) => ({ ...before, step: 2 })),
  ]);
  t.deepEqual(rig.host.inspect('counter').config, { start: 4, step: 2 });
});

test('a tick that outlived a rolled back swap doubled its loop', async (t) => {
  const rig = hostRig(t);
  const setup = 'globalThis.ticks = 0; let slow = true;';
  const loop = `loops: { tick: { everyMs: 100, jitter: 0, async run() {
    globalThis.ticks++;
    if (slow) { slow = false; await ctx.clock.sleep(2_000); }
  } } },`;
  const path = rig.write('counter.ts', counterPlugin({ setup, parts: loop }));
  await rig.host.refresh(path);
  rig.host.begin();
  await rig.clock.advance(150);
  writeFileSync(path, counterPlugin({ parts: "restore() { throw new Error('no'); }," }));
  const swap = rig.host.reload('counter');
  await settle();
  await rig.clock.advance(1_100);
  t.is((await swap).outcome, 'rolled-back');
  await rig.clock.advance(2_000);
  const { ticks } = globalThis as unknown as { ticks: number };
  await rig.clock.advance(1_000);
  t.is((globalThis as unknown as { ticks: number }).ticks - ticks, 10);
});

test('a stream somebody left stayed subscribed until the plugin ended', async (t) => {
  const rig = hostRig(t);
  const setup = `for (let round = 0; round < 10; round++) {
    ctx.stream({ kind: 'topic', name: 'counter/happened' }).subscribe(() => {}).unsubscribe();
  }
  ctx.stream({ kind: 'topic', name: 'test/ended' }).subscribe({ complete: () => { globalThis.streamEnded = true; } });`;
  await rig.host.refresh(rig.write('counter.ts', counterPlugin({ setup })));
  t.deepEqual(rig.bus.subscriptions('counter'), ['test/ended']);
  t.deepEqual(rig.host.inspect('counter').subscriptions, ['test/ended']);
  await rig.host.disable('counter');
  t.true((globalThis as { streamEnded?: boolean }).streamEnded);
});

test('setup that went on after its time was over stayed on the bus', async (t) => {
  const rig = hostRig(t);
  const setup = "await ctx.clock.sleep(40_000); ctx.on({ kind: 'topic', name: 'counter/happened' }, () => {});";
  const late = rig.host.add(rig.write('counter.ts', counterPlugin({ setup })));
  await settle();
  await rig.clock.advance(30_000);
  t.regex((await late).reason ?? '', /longer than 30000 ms/);
  await rig.clock.advance(20_000);
  t.deepEqual(rig.bus.subscriptions('counter'), []);
});

test('what a replayed event caused overtook the other held events', async (t) => {
  const rig = hostRig(t);
  const topic = { kind: 'topic' as const, name: 'counter/happened' };
  const setup = `ctx.on({ kind: 'topic', name: 'counter/happened' }, ({ n }) => {
    (globalThis.heardOrder ??= []).push(n);
    if (n < 10) ctx.emit({ kind: 'topic', name: 'counter/happened' }, { n: n + 10 });
  });`;
  const slow = counterPlugin({ setup }).replace(
    '() => add() }',
    'async () => { await ctx.clock.sleep(100); return add(); } }',
  );
  await rig.host.refresh(rig.write('counter.ts', slow));
  const call = rig.run('counter.add');
  const swap = rig.host.reload('counter');
  await settle();
  for (const n of [1, 2, 3]) rig.bus.publish(topic, { n });
  await rig.clock.advance(200);
  await Promise.all([call, swap]);
  t.deepEqual((globalThis as { heardOrder?: number[] }).heardOrder, [1, 2, 3, 11, 12, 13]);
});

test('a plugin that failed for want of its provider stayed so when the provider was switched on', async (t) => {
  const rig = hostRig(t);
  const user = `
import { definePlugin, defineToken } from 'itsgoin';
export default definePlugin({
  name: 'user', version: '1.0.0', kernel: '^1', about: 'Uses', inject: { counter: defineToken('counter') }, setup: () => ({}),
});`;
  const local = [rig.write('counter.ts', counterPlugin()), rig.write('user.ts', user)];
  const states = () => rig.host.list().map(({ name, state }) => `${name} ${state}`);
  rig.host.begin();
  await rig.host.refresh(local[0] as string);
  await rig.host.disable('counter');
  await rig.host.refresh(local[1] as string);
  t.deepEqual(states(), ['counter off', 'user failed']);
  await rig.host.enable('counter');
  await settle();
  t.deepEqual(states(), ['counter active', 'user active']);
});

test('a plugin could take the name of a kernel command, which broke the whole command line', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('counter.ts', counterPlugin().replaceAll('counter.add', 'plugin.list'));
  const { outcome, reason } = await rig.host.add(path);
  t.is(outcome, 'refused');
  t.regex(reason ?? '', /"plugin\.list" already belongs to the kernel/);
});
