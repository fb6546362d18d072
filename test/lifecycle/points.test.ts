import { writeFileSync } from 'node:fs';
import test from 'ava';
import { contributionsChanged } from '../../kernel/index.ts';
import { hostRig } from './rig.ts';

/** A plugin that owns the point `shop/dish` and tells what is on the menu, in order. */
function shop(changes: { limit?: number; fields?: string } = {}): string {
  const { limit = 3, fields = '' } = changes;
  return `
import { defineCommand, definePlugin, definePoint, hasMethods, Type } from 'itsgoin';
const DISH = definePoint('shop/dish', { limit: ${limit}, check: hasMethods('price') });
const answer = (about) => defineCommand({ about, params: Type.Object({}), result: Type.Any() });
export default definePlugin({
  name: 'shop', version: '1.0.0', kernel: '^1', about: 'Owns a point',
  points: [DISH],
  commands: { 'shop.menu': answer('Menu'), 'shop.order': answer('Order'), 'shop.foreign': answer('Foreign') },
  ${fields}
  setup: (ctx) => ({
    commands: {
      'shop.menu': () => ({
        menu: ctx.contributions(DISH).map((dish) => dish.plugin + ':' + dish.name + '=' + dish.ask((it) => it.price(), 'none')),
      }),
      'shop.order': async (_, { signal }) => ({
        prices: await Promise.all(
          ctx.contributions(DISH).map((dish) => dish.use((it, own) => it.price(own), { signal, limitMs: 500 }).catch((e) => e.code ?? e.message)),
        ),
      }),
      'shop.foreign': () => ctx.contributions(definePoint('other/point')),
    },
  }),
});
`;
}

/** A plugin that contributes one dish. */
function cook(name: string, price: string, options = '{}', more = ''): string {
  return `
import { contribute, definePlugin, definePoint } from 'itsgoin';
const DISH = definePoint('shop/dish', { limit: 3 });
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Contributes a dish',
  setup: (ctx) => ({ contributes: [contribute(DISH, { price: ${price} }, ${options})${more}] }),
});
`;
}

test('contributions are there whoever starts first, in the order they ask for, and names decide the rest', async (t) => {
  const rig = hostRig(t);
  const plugins: [string, string][] = [
    ['zoe', cook('zoe', '() => 1', "{ before: ['bob', 'nobody'] }")],
    ['bob', cook('bob', '() => 2')],
    ['ann', cook('ann', '() => 3', "{ name: 'ann/soup', after: ['bob'] }")],
  ];
  for (const [name, code] of plugins) t.is((await rig.host.add(rig.write(`${name}.ts`, code))).outcome, 'committed');
  await rig.host.add(rig.write('shop.ts', shop()));
  t.deepEqual(await rig.run('shop.menu'), { menu: ['zoe:zoe=1', 'bob:bob=2', 'ann:ann/soup=3'] });
  t.deepEqual(rig.host.inspect('ann').contributes, ['shop/dish: ann/soup']);
  t.deepEqual(rig.host.inspect('shop').points, ['shop/dish']);
});

test('a contribution survives reloads of the owner of its point, which contributed calls by hand did not', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('shop.ts', shop());
  await rig.host.add(path);
  await rig.host.add(rig.write('bob.ts', cook('bob', '() => 2')));
  for (const limit of [3, 4, 5]) {
    writeFileSync(path, shop({ limit }));
    t.is((await rig.host.reload('shop')).outcome, 'committed');
    t.deepEqual(await rig.run('shop.menu'), { menu: ['bob:bob=2'] });
  }
  await rig.host.disable('shop');
  await rig.host.enable('shop');
  t.deepEqual(await rig.run('shop.menu'), { menu: ['bob:bob=2'] });
});

test('a swap of the contributor changes what is called and is no event; its coming and going are events', async (t) => {
  const rig = hostRig(t);
  const seen: string[] = [];
  rig.bus.subscribe('test', contributionsChanged, ({ point }) => void seen.push(point));
  await rig.host.add(rig.write('shop.ts', shop()));
  const path = rig.write('bob.ts', cook('bob', '() => 2'));
  await rig.host.add(path);
  writeFileSync(path, cook('bob', '() => 20'));
  await rig.host.reload('bob');
  t.deepEqual(await rig.run('shop.menu'), { menu: ['bob:bob=20'] });
  t.deepEqual(seen, ['shop/dish']);
  await rig.host.disable('bob');
  t.deepEqual(await rig.run('shop.menu'), { menu: [] });
  t.deepEqual(seen, ['shop/dish', 'shop/dish']);
});

test('contributions of the wrong shape, one too many, of a taken name or in a circle refuse their plugin and nobody else', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('shop.ts', shop()));
  await rig.host.add(rig.write('bob.ts', cook('bob', '() => 2', "{ after: ['eve'] }")));
  const refusals: [string, string, RegExp][] = [
    ['a', cook('a', '7'), /its contribution to "shop\/dish" does not fit: price\(\) is missing/],
    ['b', cook('b', '() => 1', "{ name: 'bob' }"), /"bob" at "shop\/dish" is a contribution of bob already/],
    ['c', cook('c', '() => 1', "{ name: 'No Name' }"), /a contribution's name is like/],
    ['d', cook('d', '() => 1', "{ name: 'eve', after: ['bob'] }"), /ordered in a circle: bob, eve/],
    ['e', cook('e', '() => 1', '{}', ", { kind: 'stranger' }"), /was not made by contribute\(\)/],
    [
      'f',
      cook('f', '() => 1', '{}', ', contribute(DISH, { price: () => 1 })'),
      /two contributions to .* are named "f"/,
    ],
  ];
  for (const [name, code, reason] of refusals) {
    const outcome = await rig.host.add(rig.write(`${name}.ts`, code));
    t.is(outcome.outcome, 'refused', name);
    t.regex(outcome.reason ?? '', reason);
  }
  await rig.host.add(rig.write('zoe.ts', cook('zoe', '() => 1')));
  await rig.host.add(rig.write('ann.ts', cook('ann', '() => 3')));
  const fourth = await rig.host.add(rig.write('tom.ts', cook('tom', '() => 4')));
  t.regex(fourth.reason ?? '', /"shop\/dish" takes at most 3 contributions/);
  t.deepEqual(await rig.run('shop.menu'), { menu: ['ann:ann=3', 'bob:bob=2', 'zoe:zoe=1'] });
});

test('an owner that comes back with a lower limit leaves the last ones out, says so, and the others serve', async (t) => {
  const rig = hostRig(t);
  const path = rig.write('shop.ts', shop());
  await rig.host.add(path);
  for (const name of ['ann', 'bob', 'zoe']) await rig.host.add(rig.write(`${name}.ts`, cook(name, '() => 1')));
  writeFileSync(path, shop({ limit: 2 }));
  await rig.host.reload('shop');
  t.deepEqual(await rig.run('shop.menu'), { menu: ['ann:ann=1', 'bob:bob=1'] });
  t.true(rig.log.entries.some(({ event }) => event === 'contribution-left-out'));
});

test('what a contribution throws, never answers or answers late counts against its plugin alone', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('shop.ts', shop()));
  await rig.host.add(rig.write('ann.ts', cook('ann', "() => { throw new Error('burnt'); }")));
  await rig.host.add(rig.write('bob.ts', cook('bob', '() => new Promise(() => {})')));
  await rig.host.add(rig.write('zoe.ts', cook('zoe', '() => 5')));
  t.deepEqual(await rig.run('shop.menu'), { menu: ['ann:ann=none', 'bob:bob=none', 'zoe:zoe=5'] });
  const ordering = rig.run('shop.order');
  await rig.clock.advance(600);
  t.deepEqual(await ordering, { prices: ['burnt', 'lifecycle/contribution-timeout', 5] });
  t.is(rig.host.inspect('ann').counters.failures, 2);
  t.is(rig.host.inspect('bob').counters.failures, 2);
  t.is(rig.host.inspect('zoe').counters.failures, undefined);
  t.is(rig.host.inspect('shop').counters.failures, undefined);
});

test('a contribution withdrawn in mid-call ends the call with a code, and its signal aborts', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('shop.ts', shop()));
  const slow = `(signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))`;
  await rig.host.add(rig.write('bob.ts', cook('bob', slow)));
  const ordering = rig.run('shop.order');
  const off = rig.host.disable('bob');
  await rig.clock.advance(2_000);
  await off;
  t.deepEqual(await ordering, { prices: ['lifecycle/contribution-timeout'] });
  t.deepEqual(await rig.run('shop.menu'), { menu: [] });
});

test('a point belongs to one plugin, which alone reads it', async (t) => {
  const rig = hostRig(t);
  await rig.host.add(rig.write('shop.ts', shop()));
  const outcome = await rig.host.add(
    rig.write('rival.ts', shop().replaceAll("'shop.", "'rival.").replace("name: 'shop'", "name: 'rival'")),
  );
  t.regex(outcome.reason ?? '', /the point "shop\/dish" already belongs to shop/);
  await t.throwsAsync(rig.run('shop.foreign'), { code: 'lifecycle/foreign-point' });
});

test('a plugin that raises the limit of its own point and uses it was refused by the limit it had before', async (t) => {
  const rig = hostRig(t);
  const own = (limit: number): string => `
import { contribute, definePlugin, definePoint } from 'itsgoin';
const DISH = definePoint('own/dish', { limit: ${limit} });
export default definePlugin({
  name: 'own', version: '1.0.0', kernel: '^1', about: 'Contributes to its own point', points: [DISH],
  setup: () => ({
    contributes: Array.from({ length: ${limit} }, (_, n) => contribute(DISH, {}, { name: 'own/' + n })),
  }),
});
`;
  const path = rig.write('own.ts', own(1));
  await rig.host.add(path);
  writeFileSync(path, own(3));
  t.like(await rig.host.reload('own'), { outcome: 'committed', reason: undefined });
  t.is(rig.host.inspect('own').contributes.length, 3);
});
