import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NodeKeys, openConfig, resolvePluginConfig } from '../../kernel/config/index.ts';
import { Type } from '../../kernel/index.ts';
import { SHARES_EXCEPT } from '../../kernel/sdk/kit/block-shares.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const SHARES = { connectionsPerAddress: 32, connectionsKept: 64, sharesExcept: SHARES_EXCEPT };

function fileWith(t: ExecutionContext, text?: string): string {
  const path = join(temporaryDirectory(t), 'config.json');
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

test('without a file everything is default, and nothing is written', (t) => {
  const path = fileWith(t);
  const config = openConfig(path);
  t.deepEqual(config.node, { port: 0, bind: '', advertise: [], logLevel: 'info', treatAsPublic: [], ...SHARES });
  t.deepEqual(config.plugin('content'), { enabled: true, source: undefined, config: undefined });
  t.deepEqual(config.added(), []);
  t.false(existsSync(path));
  t.throws(() => Object.assign(config.node, { port: 1 }), { instanceOf: TypeError });
});

test('an unknown key is refused by name, with the key that was probably meant', (t) => {
  const cases: [text: string, key: RegExp, hint: RegExp][] = [
    ['{"nod": {}}', /nod/, /mean node\?/],
    ['{"node": {"prot": 1}}', /setting prot in .* under node/, /mean port\?/],
    ['{"node": {"colour": 1}}', /colour/, /Known: advertise, bind/],
    ['{"plugins": {"content": {"enable": true}}}', /plugins\.content\.enable/, /mean enabled\?/],
  ];
  for (const [text, message, hint] of cases) {
    const error = t.throws(() => openConfig(fileWith(t, text)), { code: 'config/unknown-key', message });
    t.regex((error as unknown as { hint: string }).hint, hint);
  }
});

test('a value of the wrong kind is refused with what it must be', (t) => {
  const cases: [text: string, message: RegExp][] = [
    ['{"node": {"port": "x"}}', /port .*integer/],
    ['{"node": {"port": 70000}}', /port .*65535/],
    ['{"node": {"logLevel": "loud"}}', /logLevel .*one of debug, info, warn, error/],
    ['{"node": {"advertise": ["a:1", 2]}}', /advertise\.1 .*string/],
    ['{"node": []}', /node .*object/],
    ['{"plugins": {"a": {"enabled": "yes"}}}', /plugins\.a\.enabled .*true or false/],
    ['{"plugins": {"a": 1}}', /plugins\.a .*object/],
    ['7', /must be an object/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => openConfig(fileWith(t, text)), { code: 'config/bad-value', message }, text);
  }
});

test('broken JSON is refused with line and column and never overwritten', (t) => {
  const cases: [text: string, line: number, column: number][] = [
    ['', 1, 1],
    ['{a}', 1, 2],
    ['[1,,]', 1, 4],
    ['{\n  "node": {\n    "port": 1\n    "bind": ""\n  }\n}', 4, 5],
    ['{"node": {"port": 1},}', 1, 22],
    ['{"node": {"port": tru3}}', 1, 22],
    ['{"node": {"bind": "x}', 1, 22],
    ['// port\n{}', 1, 1],
    ['{} {}', 1, 4],
    ['{"a":"\\u12zz"}', 1, 11],
  ];
  for (const [text, line, column] of cases) {
    const path = fileWith(t, text);
    const error = t.throws(() => openConfig(path), { code: 'config/syntax' }, text);
    const { data } = error as unknown as { data: unknown };
    t.like(data, { line, column }, text);
    t.is(readFileSync(path, 'utf8'), text);
  }
});

test('a change is written at once, privately and whole, and says whether it takes a restart', (t) => {
  const path = fileWith(t);
  const config = openConfig(path);
  t.deepEqual(config.setNode('port', 4433), { restart: true });
  t.deepEqual(config.setNode('logLevel', 'debug'), { restart: false });
  t.is(config.node.port, 4433);
  t.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { node: { port: 4433, logLevel: 'debug' }, plugins: {} });
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(join(path, '..')), ['config.json']);
  t.is(openConfig(path).node.logLevel, 'debug');
});

test('a change that is refused leaves file and settings alone', (t) => {
  const path = fileWith(t, '{"node":{"port":5}}');
  const config = openConfig(path);
  t.throws(() => config.setNode('port', 'x'), { code: 'config/bad-value' });
  t.throws(() => config.setNode('prt', 1), { code: 'config/unknown-key' });
  t.is(readFileSync(path, 'utf8'), '{"node":{"port":5}}');
  t.is(config.node.port, 5);
});

test('what somebody wrote into the file meanwhile survives a change, or stops it', (t) => {
  const path = fileWith(t, '{"node":{"port":5}}');
  const config = openConfig(path);
  writeFileSync(path, '{"node":{"port":6},"plugins":{"relay":{"enabled":false}}}');
  config.setNode('bind', '127.0.0.1');
  t.deepEqual(config.node.port, 6);
  t.false(config.plugin('relay').enabled);
  writeFileSync(path, '{"node":{"port":6,}');
  t.throws(() => config.setPlugin('relay', { enabled: true }), { code: 'config/syntax' });
  t.is(readFileSync(path, 'utf8'), '{"node":{"port":6,}');
  t.false(config.plugin('relay').enabled);
});

test('a section that somebody broke by hand could not be mended', (t) => {
  const path = fileWith(t, '{"node":{"port":5}}');
  const config = openConfig(path);
  writeFileSync(path, '{"node":{"port":"x","prt":6}}');
  config.setPlugin('relay', { enabled: false });
  t.is(config.node.port, 5);
  t.deepEqual(
    config.nodeFaults().map(({ key }) => key),
    ['prt', 'port'],
  );
  t.throws(() => config.setNode('port', 'y'), { code: 'config/bad-value' });
  config.setNode('port', 6);
  t.is(config.node.port, 5);
  config.setNode('prt', undefined);
  t.is(config.node.port, 6);
  t.throws(() => config.setNode('prt', undefined), { code: 'config/not-set' });
  t.deepEqual(openConfig(path).node.port, 6);
});

test('plugin entries are switched, pointed elsewhere, configured and forgotten', (t) => {
  const path = fileWith(t);
  const config = openConfig(path);
  config.setPlugin('ping', { enabled: false, source: '/plugins/ping.ts', config: { everyMs: 5 } });
  t.deepEqual(config.plugin('ping'), { enabled: false, source: '/plugins/ping.ts', config: { everyMs: 5 } });
  t.deepEqual(openConfig(path).added(), [{ name: 'ping', source: '/plugins/ping.ts' }]);
  config.setPlugin('ping', { enabled: true });
  config.setPlugin('ping', { source: null });
  t.deepEqual(openConfig(path).plugin('ping'), { enabled: true, source: undefined, config: { everyMs: 5 } });
  t.deepEqual(JSON.parse(readFileSync(path, 'utf8')).plugins, { ping: { config: { everyMs: 5 } } });
  t.deepEqual(config.plugin('__proto__'), { enabled: true, source: undefined, config: undefined });
});

test('plugin settings get defaults at every depth, are checked and frozen; the input is not changed', (t) => {
  const schema = Type.Object({
    flushMs: Type.Integer({ default: 200, minimum: 10 }),
    limits: Type.Object({ posts: Type.Integer({ default: 50 }) }, { default: {} }),
  });
  t.deepEqual(resolvePluginConfig(schema, undefined, 'e'), { flushMs: 200, limits: { posts: 50 } });
  const raw = { limits: {} };
  const resolved = resolvePluginConfig(schema, raw, 'e') as { limits: { posts: number } };
  t.deepEqual(resolved, { flushMs: 200, limits: { posts: 50 } } as never);
  t.deepEqual(raw, { limits: {} });
  t.throws(() => Object.assign(resolved.limits, { posts: 1 }), { instanceOf: TypeError });
  t.throws(() => resolvePluginConfig(schema, { flushMS: 1 }, 'e'), {
    code: 'config/unknown-key',
    message: /flushMS.*plugin e/,
  });
  t.throws(() => resolvePluginConfig(schema, { limits: { post: 1 } }, 'e'), {
    code: 'config/unknown-key',
    message: /limits\.post/,
  });
  t.throws(() => resolvePluginConfig(schema, { flushMs: 1 }, 'e'), { code: 'config/bad-value' });
  t.throws(() => resolvePluginConfig(schema, [], 'e'), { code: 'config/bad-value' });
  t.deepEqual(resolvePluginConfig(undefined, undefined, 'e'), {});
  t.throws(() => resolvePluginConfig(undefined, { a: 1 }, 'e'), { code: 'config/unknown-key' });
});

test('a setting that new code of a plugin renamed or narrowed kept it out, and nothing said how to go on', (t) => {
  const schema = Type.Object({ salute: Type.String({ default: 'hi' }), times: Type.Integer({ default: 1 }) });
  t.throws(() => resolvePluginConfig(schema, { greeting: 'hey' }, 'hello'), {
    code: 'config/unknown-key',
    message: /no setting greeting .*"itsgoin config unset hello\.greeting" takes it out$/,
  });
  t.throws(() => resolvePluginConfig(schema, { times: 'twice' }, 'hello'), {
    code: 'config/bad-value',
    message: /"itsgoin config unset hello\.times" takes it out$/,
  });
  const heir = Type.Object(
    { salute: Type.String({ default: 'hi', formerly: 'hello.greeting' }) },
    { moved: ['greeting'] },
  );
  const old = { greeting: 'hey' };
  t.deepEqual(
    resolvePluginConfig(heir, old, 'hello', () => old),
    { salute: 'hey' },
  );
});

test('every kernel key says when a change counts and what it is for', (t) => {
  for (const [key, schema] of Object.entries(NodeKeys.properties)) {
    const { applies, description } = schema as { applies?: string; description?: string };
    t.true(applies === 'live' || applies === 'restart', key);
    t.truthy(description, key);
  }
});

test('a setting given for one run is used and not written, until it is set to something else', (t) => {
  const path = fileWith(t, '{"plugins":{"mesh":{"config":{"maxMesh":50,"growth":true}}}}');
  const config = openConfig(path, { mesh: { maxMesh: 7 }, relay: { pipes: 2 } });
  const inFile = () => JSON.parse(readFileSync(path, 'utf8')).plugins.mesh.config;
  t.deepEqual(config.plugin('mesh').config, { maxMesh: 7, growth: true });
  t.deepEqual(config.plugin('relay').config, { pipes: 2 });
  t.is(config.plugin('content').config, undefined);
  config.setPlugin('mesh', { config: { maxMesh: 7, growth: false } });
  t.deepEqual(inFile(), { maxMesh: 50, growth: false });
  t.deepEqual(config.plugin('mesh').config, { maxMesh: 7, growth: false });
  config.setPlugin('mesh', { enabled: false });
  t.deepEqual(inFile(), { maxMesh: 50, growth: false });
  config.setPlugin('mesh', { config: { maxMesh: 9, growth: false } });
  t.deepEqual(config.plugin('mesh').config, { maxMesh: 9, growth: false });
  t.is(inFile().maxMesh, 9);
  // As a change that was refused is taken back.
  config.setPlugin('mesh', { config: { maxMesh: 7, growth: false } });
  t.is(inFile().maxMesh, 50);
  t.is((config.plugin('mesh').config as { maxMesh: number }).maxMesh, 7);
  t.deepEqual(openConfig(path).plugin('mesh').config, { maxMesh: 50, growth: false });
});
