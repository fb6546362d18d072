import test from 'ava';
import { type AnyPlugin, defineToken, definePlugin, type Injection } from '../../kernel/index.ts';
import { orderPlugins } from '../../kernel/lifecycle/graph.ts';

function plugin(name: string, provides: string[], needs: string[], optional: string[] = []): AnyPlugin {
  const inject: Record<string, Injection> = {};
  for (const need of needs) inject[need] = defineToken(need);
  for (const need of optional) inject[need] = { optional: defineToken(need) };
  return definePlugin({
    name,
    version: '1.0.0',
    kernel: '^1',
    about: name,
    inject,
    provides: provides.map((token) => defineToken(token)),
    setup: () => ({}),
  });
}

const names = (plugins: readonly { name: string }[]): string[] => plugins.map(({ name }) => name);

test('providers come before those who need them, names break ties', (t) => {
  const { order, refused } = orderPlugins([
    plugin('content', ['content'], ['social', 'mesh']),
    plugin('social', ['social'], ['mesh']),
    plugin('mesh', ['mesh'], []),
    plugin('alone', [], []),
  ]);
  t.deepEqual(names(order), ['alone', 'mesh', 'social', 'content']);
  t.deepEqual(refused, []);
});

test('a missing need refuses the plugin and those that need it, nobody else', (t) => {
  const { order, refused } = orderPlugins([
    plugin('a', ['a'], ['nobody']),
    plugin('b', ['b'], ['a']),
    plugin('c', ['c'], []),
  ]);
  t.deepEqual(names(order), ['c']);
  t.deepEqual(refused.map(({ plugin: { name } }) => name).sort(), ['a', 'b']);
  t.regex(refused.find(({ plugin: { name } }) => name === 'a')?.reason ?? '', /needs the service "nobody"/);
});

test('who needs a plugin that cannot start was told of a circle of needs', (t) => {
  const { refused } = orderPlugins([
    plugin('a', ['a'], ['nobody']),
    plugin('b', ['b'], ['a']),
    plugin('c', ['c'], ['b']),
    plugin('x', ['x'], ['y']),
    plugin('y', ['y'], ['x']),
    plugin('z', ['z'], ['x']),
  ]);
  const reasons = Object.fromEntries(refused.map(({ plugin: { name }, reason }) => [name, reason]));
  t.is(reasons.b, 'needs a, which needs the service "nobody", which no active plugin provides');
  t.is(reasons.c, `needs b, which ${reasons.b}`);
  t.regex(reasons.x ?? '', /^is part of a circle of needs: y \(y\)$/);
  t.is(reasons.z, `needs x, which ${reasons.x}`);
});

test('a circle of needs is refused by name; a circle through optional needs starts', (t) => {
  const circle = orderPlugins([plugin('a', ['a'], ['b']), plugin('b', ['b'], ['a'])]);
  t.deepEqual(circle.order, []);
  t.regex(circle.refused[0]?.reason ?? '', /circle/);

  const soft = orderPlugins([plugin('a', ['a'], [], ['b']), plugin('b', ['b'], ['a'])]);
  t.deepEqual(names(soft.order), ['a', 'b']);
});

test('an optional provider starts first when it can', (t) => {
  const { order } = orderPlugins([plugin('a', ['a'], [], ['z']), plugin('z', ['z'], [])]);
  t.deepEqual(names(order), ['z', 'a']);
});

test('two plugins with one service: the second is refused', (t) => {
  const { order, refused } = orderPlugins([plugin('a', ['svc'], []), plugin('b', ['svc'], [])]);
  t.deepEqual(names(order), ['a']);
  t.regex(refused[0]?.reason ?? '', /already provided by a/);
});
