import test from 'ava';
import { hostRig } from './rig.ts';

const plugin = (body: string, fields = ''): string => `
import { bind, defineCommand, definePart, definePlugin, defineResource, defineToken, Type } from 'itsgoin';
const CLOCKWORK = defineToken('clockwork');
const SAFE = defineResource('safe');
let built = 0;
const A = definePart('a', (use, ctx) => ({ name: ctx.name, b: use(B), made: ++built }));
const B = definePart('b', (use) => ({ a: use.later(A) }));
const C = definePart('c', (use) => use(D));
const D = definePart('d', (use) => use(C));
const E = definePart('e', (use) => use(CLOCKWORK));
export default definePlugin({
  name: 'made-of-parts', version: '1.0.0', kernel: '^1', about: 'Made of parts',
  ${fields}
  commands: { ask: defineCommand({ about: 'Ask', params: Type.Object({}), result: Type.Any() }) },
  setup: (ctx) => ({ commands: { ask: () => { ${body} } } }),
});
`;

test('parts are built once a generation, and later() breaks a circle', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(
    rig.write(
      'p.ts',
      plugin('const a = ctx.part(A); return { same: a === ctx.part(A) && a.b.a() === a, made: a.made, name: a.name };'),
    ),
  );
  t.deepEqual(await rig.run('ask'), { same: true, made: 1, name: 'made-of-parts' });
  await rig.host.reload('made-of-parts');
  t.like(await rig.run('ask'), { same: true, made: 2 });
});

test('parts that need each other in a circle are refused with its names', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('p.ts', plugin('return ctx.part(C);')));
  const error = await t.throwsAsync(rig.run('ask'), { code: 'lifecycle/circular-parts' });
  t.regex(error.message, /c → d → c/);
});

test('a part gets nothing that its plugin does not inject', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('p.ts', plugin('return ctx.part(E);')));
  await t.throwsAsync(rig.run('ask'), { code: 'lifecycle/not-injected' });
});

test('a resource that the kernel does not have refuses the plugin by name and version', async (t) => {
  const rig = hostRig(t);
  const outcome = await rig.host.add(rig.write('p.ts', plugin('return 1;', 'inject: { safe: SAFE },')));
  t.regex(outcome.reason ?? '', /needs the resource "safe", which this kernel does not have/);
});

test('a service of another major version is another service', async (t) => {
  const rig = hostRig(t);
  const token = (major: number, rest: string): string => `
import { bind, definePlugin, defineToken } from 'itsgoin';
const T = defineToken('thing', ${major});
export default definePlugin({ version: '1.0.0', kernel: '^1', about: 'x', ${rest} });`;
  await rig.host.add(
    rig.write('one.ts', token(1, "name: 'one', provides: [T], setup: () => ({ services: [bind(T, {})] })")),
  );
  const refused = await rig.host.add(rig.write('u.ts', token(2, "name: 'user', inject: { t: T }, setup: () => ({})")));
  t.regex(refused.reason ?? '', /needs the service "thing@2", which no active plugin provides/);
  const both = await rig.host.add(
    rig.write('two.ts', token(2, "name: 'two', provides: [T], setup: () => ({ services: [bind(T, {})] })")),
  );
  t.is(both.outcome, 'committed');
  t.is(
    (await rig.host.add(rig.write('u2.ts', token(2, "name: 'user', inject: { t: T }, setup: () => ({})")))).outcome,
    'committed',
  );
});

test('a part gets what its plugin injects, the same that ctx.deps holds', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(
    rig.write(
      'clockwork.ts',
      `
import { bind, definePlugin, defineToken } from 'itsgoin';
const CLOCKWORK = defineToken('clockwork');
export default definePlugin({
  name: 'clockwork', version: '1.0.0', kernel: '^1', about: 'Ticks', provides: [CLOCKWORK],
  setup: () => ({ services: [bind(CLOCKWORK, { tick: () => 'tock' })] }),
});`,
    ),
  );
  const body = 'const e = ctx.part(E); return e.use(({ tick }) => tick()).then((said) => [said, e === ctx.deps.it]);';
  await rig.host.add(rig.write('p.ts', plugin(body, 'inject: { it: CLOCKWORK },')));
  t.deepEqual(await rig.run('ask'), ['tock', true]);
});
