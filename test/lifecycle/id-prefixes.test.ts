import test from 'ava';
import { hostRig } from './rig.ts';

const A = `aaaaaaaa1${'0'.repeat(55)}`;
const B = `aaaaaaaa2${'0'.repeat(55)}`;
const POST = `bbbbbbbb1${'0'.repeat(55)}`;

/** Knows two nodes and a post, and says what its command was given. */
const knows = (startingWith = 'ids.filter((id) => id.startsWith(prefix)).slice(0, max)') => `
import { contribute, defineCommand, definePlugin, idParam, KNOWN_IDS, Type } from 'itsgoin';
const source = (kind, ids) => contribute(
  KNOWN_IDS, { kind, startingWith: (prefix, max) => ${startingWith} }, { name: 'knows/' + kind });
export default definePlugin({
  name: 'knows', version: '1.0.0', kernel: '^1', about: 'Knows ids',
  commands: { 'knows.node': defineCommand({
    about: 'x', params: Type.Object({ id: idParam(['node'], 'x'), other: Type.Optional(Type.String()) }), result: Type.Unknown(),
  }) },
  setup: () => ({
    commands: { 'knows.node': (params) => params },
    contributes: [source('node', ['${A}', '${B}']), source('post', ['${POST}'])],
  }),
});`;

test('an id had to be typed as its 64 characters', async (t) => {
  const rig = hostRig(t);
  await rig.start([rig.write('knows.ts', knows())]);
  const given = async (id: string) => ((await rig.run('knows.node', { id })) as { id: string }).id;
  t.is(await given('aaaaaaaa1'), A);
  t.is(await given(' AAAAAAAA2… '), B);
  t.is(await given(A), A);
  t.is(await given('aaaaaaa'), 'aaaaaaa', 'too short to be meant as an id');
  t.is(await given(`${A}@192.0.2.1:7`), `${A}@192.0.2.1:7`);
  const error = await t.throwsAsync(given('aaaaaaaa'), { code: 'command/ambiguous-id' });
  t.regex(error?.message ?? '', new RegExp(`${A}, ${B}`));
  await t.throwsAsync(given('bbbbbbbb1'), { code: 'command/unknown-id' }, 'a post is no node');
  t.deepEqual(await rig.run('knows.node', { id: 'aaaaaaaa1', other: 'aaaaaaaa1' }), { id: A, other: 'aaaaaaaa1' });
});

test('a plugin that answers other ids than were asked for could lead a command astray', async (t) => {
  const rig = hostRig(t);
  await rig.start([rig.write('knows.ts', knows('ids'))]);
  await t.throwsAsync(rig.run('knows.node', { id: 'cccccccc' }), { code: 'command/unknown-id' });
});
