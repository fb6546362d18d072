import test from 'ava';
import { hostRig } from './rig.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A plugin that claims a command, a service and a point, and has a table. */
const claims = (name: string, { sql = '', activate = '' } = {}): string => `
import { bind, defineCommand, definePlugin, definePoint, defineToken, Type } from 'itsgoin';
const [T, P] = [defineToken('thing'), definePoint('thing/point')];
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Claims', provides: [T], points: [P],
  commands: { 'thing.do': defineCommand({ about: 'x', params: Type.Object({}), result: Type.String() }) },
  migrations: ${sql === '' ? '[]' : `[{ id: '0001-one', kind: 'expand', sql: ${JSON.stringify(sql)} }]`},
  setup: (ctx) => ({
    services: [bind(T, {})], commands: { 'thing.do': () => '${name}' }, activate() { ${activate} },
  }),
});`;

const bare = (name: string, fields: string, body = ''): string => `
import { definePlugin } from 'itsgoin';
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Small', ${fields}
  setup: (ctx) => ({ ${body} }),
});`;

test('what a plugin of the node claims could be taken by a stranger while that one was off', async (t) => {
  const rig = hostRig(t);
  const own = rig.write('own.ts', claims('own'));
  await rig.start([own]);
  await rig.host.disable('own');
  const outcome = await rig.host.add(rig.write('stranger.ts', claims('stranger')));
  t.is(outcome.outcome, 'refused');
  t.regex(outcome.reason ?? '', /command "thing.do" belongs to own, which comes with the node/);
  t.like(await rig.host.enable('own'), { outcome: 'committed' });
  t.is(await rig.run('thing.do'), 'own');
});

test('a plugin refused for a rival’s claim stayed refused when the rival went', async (t) => {
  const rig = hostRig(t);
  const [first, second] = [rig.write('a.ts', claims('first')), rig.write('b.ts', claims('second'))];
  await rig.start([], [first, second]);
  t.is(await rig.run('thing.do'), 'first');
  await rig.host.disable('first');
  while (rig.host.list().find(({ name }) => name === 'second')?.state !== 'active') await settle();
  t.is(await rig.run('thing.do'), 'second');
});

test('a stranger’s migration could drop a table of the node’s own plugins', async (t) => {
  const rig = hostRig(t);
  await rig.start([rig.write('own.ts', claims('own', { sql: 'CREATE TABLE things (id INTEGER)' }))]);
  const drops = bare('drops', "migrations: [{ id: '0001-drop', kind: 'expand', sql: 'DROP TABLE things' }],");
  const dropped = await rig.host.add(rig.write('drops.ts', drops));
  t.like(dropped, { outcome: 'refused' });
  t.regex(dropped.reason ?? '', /table things of own/);
  const reads = bare('reads', '', "activate() { ctx.db.prepare('SELECT * FROM things').all(); }");
  await rig.host.add(rig.write('reads.ts', reads));
  rig.host.begin();
  await settle();
  t.is(rig.host.inspect('reads').counters.failures, 1);
  t.deepEqual(
    rig.host.inspect('own').tables.map(({ name }) => name),
    ['things'],
  );
});

test('what stands in for a plugin of the node has its tables', async (t) => {
  const rig = hostRig(t);
  const sql = 'CREATE TABLE things (id INTEGER)';
  await rig.start([rig.write('own.ts', claims('own', { sql }))]);
  const activate = "ctx.db.prepare('INSERT INTO things VALUES (1)').run();";
  const other = rig.write('other/plugin.ts', claims('own', { sql, activate }));
  rig.host.begin();
  t.like(await rig.host.replace('own', other), { outcome: 'committed' });
  await settle();
  t.is(rig.host.inspect('own').counters.failures, undefined);
});

test('a stranger could say what only another plugin knows', async (t) => {
  const rig = hostRig(t);
  const heard: unknown[] = [];
  const topic = { kind: 'topic' as const, name: 'content/post-stored' };
  rig.bus.subscribe('test', topic, (event) => void heard.push(event));
  const lies = bare('lies', '', "activate() { ctx.emit({ kind: 'topic', name: 'content/post-stored' }, {}); }");
  await rig.host.add(rig.write('lies.ts', lies));
  rig.host.begin();
  await settle();
  t.deepEqual(heard, []);
  t.is(rig.host.inspect('lies').counters.failures, 1);
});
