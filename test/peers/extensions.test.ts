import test from 'ava';
import { contribute, definePlugin } from '../../kernel/index.ts';
import type { AnyPlugin, Contributed } from '../../kernel/index.ts';
import { TestNetwork } from '../../kernel/testing/index.ts';
import { extensionFeature, HANDSHAKE } from '../../plugins/peers/api.ts';
import type { HandshakeExtension } from '../../plugins/peers/api.ts';

/** A plugin from outside with one part in the handshake. */
function outside(name: string, extension: unknown, more: readonly Contributed[] = []): AnyPlugin {
  return definePlugin({
    name,
    version: '1.0.0',
    kernel: '^1',
    about: 'Adds a part to the handshake',
    features: [extensionFeature(name)],
    setup: () => ({ contributes: [contribute(HANDSHAKE, extension as HandshakeExtension, { name }), ...more] }),
  });
}

const CORE = ['peers', 'routing', 'lookup', 'mesh'];
type Listed = { peers: { node_id: string }[] };

test('an outside plugin adds a handshake field in five lines, and a reload of peers loses nothing of it', async (t) => {
  const heard: unknown[] = [];
  const hello = outside('mood', {
    collect: () => 'fine',
    receive: (_peer: unknown, mood: unknown) => void heard.push(mood),
  });
  const net = new TestNetwork({ t, builtin: CORE, plugins: [hello] });
  const [a, b] = await net.start('a', 'b');
  t.is((await a.reload('peers')).outcome, 'committed');
  t.is((await b.reload('peers')).outcome, 'committed');
  await a.run('peer.connect', { target: b.connectString });
  await net.advance(1_000);
  t.deepEqual(heard, ['fine', 'fine']);
});

test('a part that throws, never ends or is too long costs itself and not the handshake', async (t) => {
  const heard: unknown[] = [];
  const broken = [
    outside('throws', {
      collect: () => {
        throw new Error('broken');
      },
      receive: () => {
        throw new Error('broken');
      },
    }),
    outside('hangs', { collect: () => 1, receive: () => new Promise(() => {}) }),
    outside('circular', {
      collect: () => {
        const own: Record<string, unknown> = {};
        own.own = own;
        return own;
      },
      receive() {},
    }),
    outside('deep', {
      collect: () => JSON.parse('['.repeat(63) + ']'.repeat(63)),
      receive: () => void heard.push('deep'),
    }),
    outside('flips', {
      // Its JSON can be had once; the handshake needs it again.
      collect: () => {
        let asked = 0;
        return { toJSON: () => (++asked > 1 ? { toJSON: undefined, own: 1n } : 'once') };
      },
      receive() {},
    }),
    outside('long', { collect: () => 'x'.repeat(2 * 1024 * 1024), receive: () => void heard.push('long') }),
    outside('good', { collect: () => 'good', receive: (_peer: unknown, value: unknown) => void heard.push(value) }),
  ];
  const net = new TestNetwork({ t, builtin: CORE, plugins: broken });
  const [a, b] = await net.start('a', 'b');
  await a.run('peer.connect', { target: b.connectString });
  await net.advance(15_000);
  t.deepEqual(heard, ['good', 'good']);
  t.is((await a.run<Listed>('peer.list')).peers.length, 1);
  t.is((await b.run<Listed>('peer.list')).peers.length, 1);
});

test('a part of the wrong shape refuses its plugin, and so does the seventeenth', async (t) => {
  for (const shape of [undefined, 7, {}, { collect: () => 1 }]) {
    const net = new TestNetwork({ t, builtin: ['peers'], plugins: [outside('misshapen', shape)] });
    await t.throwsAsync(net.start('a'), { code: 'testing/not-active', message: /does not fit/ });
  }
  const many = Array.from({ length: 17 }, (_, at) =>
    outside(`part-${String(at).padStart(2, '0')}`, { collect: () => at, receive() {} }),
  );
  await new TestNetwork({ t, builtin: ['peers'], plugins: many.slice(0, 16) }).start('a');
  const net = new TestNetwork({ t, builtin: ['peers'], plugins: many });
  await t.throwsAsync(net.start('a'), { code: 'testing/not-active', message: /part-16 .*at most 16 contributions/ });
});
