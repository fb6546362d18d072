import test from 'ava';
import { contribute, definePlugin } from '../../kernel/index.ts';
import { TestNetwork } from '../../kernel/testing/index.ts';
import { KEPT_CONNECTION_NEEDS } from '../../plugins/keep-alive/api.ts';
import type { Need } from '../../plugins/keep-alive/api.ts';

const NEEDED = 'd'.repeat(64);

/** A plugin from outside that needs a node to stay findable, and says some nonsense besides. */
const caring = definePlugin({
  name: 'caring',
  version: '1.0.0',
  kernel: '^1',
  about: 'Needs a node',
  setup: () => ({
    contributes: [
      contribute(KEPT_CONNECTION_NEEDS, () => {
        const need = { nodeId: NEEDED, reason: 'dm', nplus10: [] };
        return [need, 7, undefined, { ...need, nodeId: 'x' }, { ...need, reason: 'whim' }] as unknown as Need[];
      }),
    ],
  }),
});

test('what an outside plugin needs is still needed when keep-alive was reloaded', async (t) => {
  const net = new TestNetwork({ t, builtin: ['peers', 'routing', 'keep-alive'], plugins: [caring] });
  const [a] = await net.start('a');
  const needed = async (): Promise<string[]> => {
    const { contacts } = await a.run<{ contacts: { node_id: string }[] }>('keepalive.explain');
    return contacts.map(({ node_id }) => node_id);
  };
  t.deepEqual(await needed(), [NEEDED]);
  for (let round = 0; round < 3; round++) t.is((await a.reload('keep-alive')).outcome, 'committed');
  t.deepEqual(await needed(), [NEEDED]);
  await a.disable('caring');
  t.deepEqual(await needed(), []);
});

test('a needed node was "not checked yet" for as long as routing was off', async (t) => {
  const net = new TestNetwork({ t, builtin: ['peers', 'routing', 'keep-alive'], plugins: [caring] });
  const [a] = await net.start('a');
  const verdict = async () =>
    (await a.run<{ contacts: { verdict: string }[] }>('keepalive.explain')).contacts[0]?.verdict;
  t.is(await verdict(), 'not checked yet');
  await a.disable('routing');
  t.is(await verdict(), 'cannot be checked while the plugin routing is off');
});
