import test from 'ava';
import {
  type AnyPlugin,
  definePlugin,
  definePoint,
  defineResource,
  defineToken,
  Type,
  defineCommand,
} from '../../kernel/index.ts';
import { checkManifest, needsOf, resourcesOf } from '../../kernel/lifecycle/manifest.ts';

const good = definePlugin({ name: 'my-plugin2', version: '1.2.3', kernel: '^1', about: 'Good', setup: () => ({}) });
const command = defineCommand({ about: 'Run', params: Type.Object({}), result: Type.Object({}) });

/** What the check says of a plugin with these changes; `undefined` when it takes it. */
function problem(changes: Record<string, unknown>): string | undefined {
  try {
    checkManifest({ ...good, ...changes }, 'at/this/path');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test('what is no plugin at all is refused by its path', (t) => {
  for (const value of [undefined, null, 'plugin', () => ({})]) {
    t.throws(() => checkManifest(value, 'at/this/path'), {
      code: 'lifecycle/bad-manifest',
      message: /at\/this\/path.*definePlugin/,
    });
  }
  t.regex(problem({ name: undefined }) ?? '', /at\/this\/path.*kebab-case/);
});

const refused: Record<string, [Record<string, unknown>, RegExp]> = {
  'a name with capitals': [{ name: 'MyPlugin' }, /kebab-case/],
  'a name that ends in a hyphen': [{ name: 'my-' }, /kebab-case/],
  'setup that is no function': [{ setup: {} }, /"setup"/],
  'a version of two numbers': [{ version: '1.2' }, /"version"/],
  'a version that is a number': [{ version: 1 }, /"version"/],
  'no word about it': [{ about: '' }, /"about"/],
  'about that is no text': [{ about: 7 }, /"about"/],
  'a message that is a plain object': [{ messages: { ask: { kind: 'note' } } }, /message "ask"/],
  'a message that is nothing': [{ messages: { ask: undefined } }, /message "ask"/],
  'a command with capitals': [{ commands: { 'Do.it': command } }, /"Do\.it" must be like/],
  'a command that is nothing': [{ commands: { run: undefined } }, /"run" needs/],
  'a command without a word about it': [{ commands: { run: { ...command, about: undefined } } }, /"run" needs/],
  'a command without params': [{ commands: { run: { ...command, params: undefined } } }, /"run" needs/],
  'a command without a result': [{ commands: { run: { ...command, result: undefined } } }, /"run" needs/],
  'an injection that is a name': [{ inject: { mesh: 'mesh' } }, /inject "mesh"/],
  'an injection that is null': [{ inject: { mesh: null } }, /inject "mesh"/],
  'an optional injection of nothing': [{ inject: { mesh: { optional: undefined } } }, /inject "mesh"/],
  'an optional resource': [{ inject: { disk: { optional: defineResource('disk') } } }, /cannot be optional/],
  'a point that is a name': [{ points: ['lookup/step'] }, /definePoint/],
  'a point that is nothing': [{ points: [undefined] }, /definePoint/],
  'a migration without a number': [{ migrations: [{ id: 'posts' }] }, /must be like 0001-name/],
  'migrations out of order': [{ migrations: [{ id: '0002-b' }, { id: '0001-a' }] }, /"0001-a" is out of order/],
  'one migration twice': [{ migrations: [{ id: '0001-a' }, { id: '0001-a' }] }, /out of order/],
};

for (const [name, [changes, reason]] of Object.entries(refused)) {
  test(`${name}: refused`, (t) => t.regex(problem(changes) ?? 'taken', reason));
}

const taken: Record<string, Record<string, unknown>> = {
  nothing: {},
  'a version before a release': { version: '1.2.3-beta.1' },
  'commands of one and two words': { commands: { run: command, 'post.create-now': command } },
  'tokens, needed and optional, and resources': {
    inject: { mesh: defineToken('mesh'), social: { optional: defineToken('social') }, disk: defineResource('disk') },
  },
  points: { points: [definePoint('lookup/step', { limit: 1 })] },
  'migrations in order': { migrations: [{ id: '0001-a' }, { id: '0002-b' }] },
};

for (const [name, changes] of Object.entries(taken)) {
  test(`with ${name}: taken`, (t) => t.is(problem(changes), undefined));
}

test('a plugin says for which kernels it is', (t) => {
  for (const kernel of ['*', '1', '^1', '1.0', '^1.0', '^1.0.5', '1.0.0']) t.is(problem({ kernel }), undefined, kernel);
  for (const kernel of [undefined, 1, '', '^2', '0', '^0.9', '^1.1', '1.7.0', '>=1', '~1', '^1.0.0.0', 'x^1', '^1x'])
    t.regex(problem({ kernel }) ?? 'taken', /this kernel is 1\.0\.0/, String(kernel));
});

test('needs are services with whether they may be off; resources are apart', (t) => {
  const [mesh, social, disk] = [defineToken('mesh'), defineToken('social'), defineResource('disk')];
  const plugin = { ...good, inject: { mesh, social: { optional: social }, disk } } as unknown as AnyPlugin;
  t.deepEqual(needsOf(plugin), [
    { token: mesh, optional: false },
    { token: social, optional: true },
  ]);
  t.deepEqual(resourcesOf(plugin), [disk]);
  t.deepEqual([needsOf(good), resourcesOf(good)], [[], []]);
});
