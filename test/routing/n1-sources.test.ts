import test from 'ava';
import { contribute, definePlugin } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { TestNetwork } from '../../kernel/testing/index.ts';
import { N1_SHARE } from '../../plugins/routing/api.ts';

function naming(name: string, named: () => Iterable<unknown>) {
  return definePlugin({
    name,
    version: '1.0.0',
    kernel: '^1',
    about: 'Names nodes in N1',
    setup: () => ({ contributes: [contribute(N1_SHARE, named as () => Iterable<NodeId>)] }),
  });
}

test('a plugin that names nodes without end, or names what is none, ended the node or its share', async (t) => {
  const endless = naming('endless', function* () {
    for (let n = 0; ; n++) yield n.toString(16).padStart(64, '0');
  });
  const nonsense = naming('nonsense', () => ['zz', 5, null, 'f'.repeat(64)]);
  const net = new TestNetwork({ t, builtin: ['peers', 'routing', 'mesh'], plugins: [endless, nonsense] });
  const [a, b] = await net.start('a', 'b');
  await net.connect(a, b);
  await net.advance(200_000);
  t.is((a.inspect('routing').diagnostics.knowledge as { n2: number }).n2 > 1_000, true);
  t.is(a.counters('routing')['lists-malformed'], undefined);
});
