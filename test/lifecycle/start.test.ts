import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { counterPlugin, hostRig, type HostRig } from './rig.ts';

const named = (name: string, changes: Parameters<typeof counterPlugin>[0] = {}): string =>
  counterPlugin(changes).replaceAll("'counter", `'${name}`);

/** A plugin that does nothing but need a service. */
const needing = (name: string, service: string): string => `
import { definePlugin, defineToken } from 'itsgoin';
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Needs', inject: { it: defineToken('${service}') },
  setup() { (globalThis.startOrder ??= []).push('${name}'); return {}; },
});`;

/** Paths of plugins that ship with the node lie apart from the local ones. */
function builtin(rig: HostRig, name: string, code: string): string {
  const folder = join(rig.dir, 'builtin', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.ts'), code);
  return folder;
}

const states = ({ host }: HostRig): string[] =>
  host.list().map(({ name, state, source }) => `${name} ${state} ${source}`);

test('all that ships, lies in the folder or was added is started, but for what is switched off or does not load', async (t) => {
  const rig = hostRig(t, (dir) => ({
    plugins: { beta: { enabled: false }, delta: { source: join(dir, 'elsewhere.ts') } },
  }));
  const own = builtin(rig, 'alpha', named('alpha'));
  const off = builtin(rig, 'beta', named('beta'));
  const local = rig.write('gamma.ts', named('gamma'));
  const broken = rig.write('broken.ts', 'not code (');
  const added = join(rig.dir, 'elsewhere.ts');
  writeFileSync(added, named('delta'));
  await rig.start([own, off], [local, broken]);
  t.deepEqual(
    states(rig),
    [
      'alpha active builtin',
      `broken failed ${broken}`,
      'beta off builtin',
      `delta active ${added}`,
      `gamma active ${local}`,
    ].sort(),
  );
  t.true(rig.log.events().includes('plugin-load-failed'));
  t.deepEqual(await rig.run('gamma.add'), { count: 1 });
  await t.throwsAsync(rig.run('beta.add'), { code: 'command/unknown-command' });
});

test('providers start before those who need them, and who needs what nobody offers fails with the reason', async (t) => {
  const rig = hostRig(t);
  const folders = [
    builtin(rig, 'early', needing('early', 'zeta')),
    builtin(rig, 'lonely', needing('lonely', 'nobody')),
    builtin(rig, 'zeta', named('zeta', { setup: "(globalThis.startOrder ??= []).push('zeta');" })),
  ];
  await rig.start(folders);
  t.deepEqual((globalThis as { startOrder?: string[] }).startOrder, ['zeta', 'early']);
  t.deepEqual(
    rig.host.list().map(({ name, state }) => [name, state]),
    [
      ['early', 'active'],
      ['lonely', 'failed'],
      ['zeta', 'active'],
    ],
  );
  t.regex(rig.host.list()[1]?.reason ?? '', /needs the service "nobody"/);
});

test('code that replaces a built-in is started in its place, not beside it, and builtin brings the own back', async (t) => {
  const rig = hostRig(t, (dir) => ({ plugins: { alpha: { source: join(dir, 'plugins', 'my-alpha.ts') } } }));
  const own = builtin(rig, 'alpha', named('alpha'));
  const other = rig.write('my-alpha.ts', named('alpha', { step: 100 }));
  await rig.start([own], [other]);
  t.deepEqual(states(rig), [`alpha active ${other}`]);
  t.deepEqual(await rig.run('alpha.add'), { count: 100 });
  t.is((await rig.host.replace('alpha', 'builtin')).outcome, 'committed');
  t.deepEqual(states(rig), ['alpha active builtin']);
  t.deepEqual(await rig.run('alpha.add'), { count: 101 });
  const saved = JSON.parse(readFileSync(join(rig.dir, 'config.json'), 'utf8')) as { plugins: { alpha?: object } };
  t.false('source' in (saved.plugins.alpha ?? {}));
});

test('of two plugins with one name the first stays and the second is told of in the log', async (t) => {
  const rig = hostRig(t);
  const own = builtin(rig, 'alpha', named('alpha'));
  const twin = rig.write('twin.ts', named('alpha', { step: 100 }));
  await rig.start([own], [twin]);
  t.deepEqual(
    rig.host.list().map(({ name, state }) => [name, state]),
    [
      ['alpha', 'active'],
      ['twin', 'failed'],
    ],
  );
  t.regex(rig.host.list()[1]?.reason ?? '', /alpha/);
  t.deepEqual(await rig.run('alpha.add'), { count: 1 });
});

test('loops tick from begin on, and activate runs once', async (t) => {
  const rig = hostRig(t);
  const parts = `loops: { beat: { everyMs: 100, jitter: 0, run() { count += 10; } } }, activate() { count += 1; },`;
  await rig.start([builtin(rig, 'alpha', named('alpha', { step: 0, parts }))]);
  await rig.clock.advance(1_000);
  t.deepEqual(await rig.run('alpha.add'), { count: 0 });
  rig.host.begin();
  rig.host.begin();
  await rig.clock.advance(250);
  t.deepEqual(await rig.run('alpha.add'), { count: 21 });
});

test('what ships or lies in the folder cannot be removed, what was added can, and its name is free again', async (t) => {
  const rig = hostRig(t);
  const own = builtin(rig, 'alpha', named('alpha'));
  const local = rig.write('gamma.ts', named('gamma'));
  await rig.start([own], [local]);
  await t.throwsAsync(rig.host.remove('alpha'), { code: 'lifecycle/builtin' });
  await t.throwsAsync(rig.host.remove('gamma'), { code: 'lifecycle/local' });
  await t.throwsAsync(rig.host.remove('nobody'), { code: 'lifecycle/unknown-plugin' });
  const added = join(rig.dir, 'delta.ts');
  writeFileSync(added, named('delta'));
  t.is((await rig.host.add(added)).outcome, 'committed');
  await t.throwsAsync(rig.host.add(added), { code: 'lifecycle/already-present' });
  t.like(await rig.host.remove('delta'), { outcome: 'disabled', reason: 'removed' });
  t.deepEqual(
    rig.host.list().map(({ name }) => name),
    ['alpha', 'gamma'],
  );
  t.is((await rig.host.add(added)).outcome, 'committed');
});
