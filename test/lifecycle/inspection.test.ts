import test from 'ava';
import { counterPlugin, hostRig } from './rig.ts';

const RICH = `
import { defineCommand, defineNotice, definePlugin, definePoint, defineToken, Type, contribute } from 'itsgoin';
const POINT = definePoint('rich/point', { limit: 2 });
const noted = defineNotice({
  name: 'acme/noted@1', about: 'A note', body: Type.Object({}), maxBytes: 100, deadlineMs: 1_000,
  budget: { perSecond: 1, burst: 1, inFlight: 1 },
});
export default definePlugin({
  name: 'rich', version: '2.1.0', kernel: '^1', about: 'Has all',
  config: Type.Object({ size: Type.Integer({ default: 7 }) }),
  inject: { counter: defineToken('counter'), other: { optional: defineToken('other') } },
  provides: [defineToken('rich')], points: [POINT], messages: { noted },
  migrations: [{ id: '0001-rows', kind: 'expand', sql: 'CREATE TABLE rich_rows (n INTEGER) STRICT' }],
  commands: { 'rich.run': defineCommand({ about: 'Run', params: Type.Object({ n: Type.Integer() }), result: Type.Object({}) }) },
  setup(ctx) {
    ctx.on({ kind: 'topic', name: 'test/happened' }, () => {});
    ctx.counters.add('seen', 3);
    return {
      services: [{ token: defineToken('rich'), service: {} }],
      handlers: { noted() {} },
      commands: { 'rich.run': async ({ n }) => (n === 0 ? ctx.clock.sleep(5_000).then(() => ({})) : { n }) },
      contributes: [contribute(POINT, {}, { name: 'rich/first' })],
      loops: { beat: { everyMs: 1_000, jitter: 0, run() {} } },
      diagnostics: () => ({ weight: 3 }),
    };
  },
});`;

test('an inspection tells all that a plugin is, has and needs', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  await rig.host.add(rig.write('rich.ts', RICH));
  rig.host.begin();
  await rig.clock.advance(1_000);
  const running = rig.run('rich.run', { n: 0 });
  const { cleanups, tables, ...seen } = rig.host.inspect('rich');
  t.like(seen, {
    name: 'rich',
    version: '2.1.0',
    about: 'Has all',
    state: 'active',
    generation: 1,
    reason: undefined,
    config: { size: 7 },
    provides: ['rich'],
    points: ['rich/point'],
    contributes: ['rich/point: rich/first'],
    handlers: ['acme/noted@1'],
    commands: ['rich.run'],
    loops: [{ name: 'beat', everyMs: 1_000, runs: 1, failures: 0, lastMs: 0 }],
    subscriptions: ['test/happened'],
    resources: [],
    running: 1,
    held: 0,
    counters: { seen: 3 },
    diagnostics: { weight: 3 },
  });
  t.deepEqual(seen.needs, [
    { token: 'counter', optional: false, available: true },
    { token: 'other', optional: true, available: false },
  ]);
  t.true(cleanups > 0);
  t.deepEqual(
    tables.map(({ name }) => name),
    ['rich_rows'],
  );
  t.deepEqual(rig.host.features(), ['acme/noted@1']);
  await rig.clock.advance(5_000);
  await running;
});

test('a plugin that is off has what its code says and nothing that runs', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  await rig.host.add(rig.write('rich.ts', RICH));
  await rig.host.disable('rich');
  t.like(rig.host.inspect('rich'), {
    state: 'off',
    reason: 'switched off',
    config: {},
    provides: ['rich'],
    points: ['rich/point'],
    contributes: [],
    handlers: [],
    commands: ['rich.run'],
    loops: [],
    subscriptions: [],
    cleanups: 0,
    running: 0,
    diagnostics: {},
  });
  t.deepEqual(rig.host.features(), []);
  t.throws(() => rig.host.inspect('nobody'), { code: 'lifecycle/unknown-plugin' });
});

test('a plugin whose code does not load can be inspected, with the reason', async (t) => {
  const rig = hostRig(t);
  await rig.host.refresh(rig.write('broken.ts', 'not code ('));
  const { reason, ...seen } = rig.host.inspect('broken');
  t.regex(reason ?? '', /could not be loaded/);
  t.like(seen, { name: 'broken', state: 'failed', version: '', needs: [], resources: [], provides: [], points: [] });
});

test('diagnostics that throw do not break the overview', async (t) => {
  const rig = hostRig(t);
  const parts = "diagnostics() { throw new Error('no figures'); },";
  await rig.host.add(rig.write('counter.ts', counterPlugin({ parts })));
  t.deepEqual(rig.host.diagnostics('counter'), { error: 'Error: no figures' });
  t.deepEqual(rig.host.inspect('counter').diagnostics, { error: 'Error: no figures' });
});

test('a command gets checked parameters, a signal and a way to tell how far it is', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('counter.ts', counterPlugin()));
  await rig.host.add(rig.write('rich.ts', RICH));
  t.deepEqual(await rig.run('rich.run', { n: 4 }), { n: 4 });
  await t.throwsAsync(rig.run('rich.run', { n: 'four' }), { code: 'command/bad-params' });
  await t.throwsAsync(rig.run('rich.walk'), { code: 'command/unknown-command' });
  t.deepEqual([...rig.host.commands().keys()].sort(), ['counter.add', 'rich.run']);
  const code = counterPlugin().replace(
    "'counter.add': () => add()",
    `'counter.add': async (_, call) => {
       call.progress('half', 0.5);
       await new Promise((_resolve, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)));
     }`,
  );
  await rig.host.replace('counter', rig.write('slow/plugin.ts', code));
  const steps: unknown[] = [];
  const controller = new AbortController();
  const progress = (step: string, fraction?: number): void => void steps.push([step, fraction]);
  const running = rig.host.run('counter.add', {}, { signal: controller.signal, progress });
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(steps, [['half', 0.5]]);
  controller.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
});
