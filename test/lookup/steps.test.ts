import test from 'ava';
import type { ExecutionContext } from 'ava';
import { contribute, definePlugin } from '../../kernel/index.ts';
import type { AnyPlugin } from '../../kernel/index.ts';
import { TestNetwork } from '../../kernel/testing/index.ts';
import { LOOKUP_STEP } from '../../plugins/lookup/api.ts';
import type { LookupStep } from '../../plugins/lookup/api.ts';
import { PEERS } from '../../plugins/peers/api.ts';

const STRANGER = 'e'.repeat(64);
const ALL = ['peers', 'routing', 'lookup', 'mesh', 'social', 'presence', 'anchors', 'worm-search'];
const ORDER = [
  'social-cache',
  'peers-table',
  'ask-n2-reporter',
  'ask-n3-chain',
  'preferred-peers',
  'profile-anchors',
  'worm-search',
];

/** A plugin from outside that is a way to find nodes. */
function outside(name: string, step: unknown, place: { after?: string[]; before?: string[] } = {}): AnyPlugin {
  return definePlugin({
    name,
    version: '1.0.0',
    kernel: '^1',
    about: 'Finds nodes in a way of its own',
    setup: () => ({ contributes: [contribute(LOOKUP_STEP, step as LookupStep, place)] }),
  });
}

const asker = definePlugin({
  name: 'asker',
  version: '1.0.0',
  kernel: '^1',
  about: 'Looks for a node as soon as it runs',
  inject: { peers: PEERS },
  setup: (ctx) => ({
    activate: () =>
      void ctx.background(
        'ask',
        ctx.deps.peers.use((peers) => peers.connect({ nodeId: STRANGER as never, purpose: 'test' })).catch(() => {}),
      ),
  }),
});

type Explained = { resolutions: { result: string; steps: { step: string; result: string; reason: string }[] }[] };

async function stepsOf(t: ExecutionContext, plugins: readonly AnyPlugin[], reloads: readonly string[] = []) {
  const net = new TestNetwork({ t, builtin: ALL, plugins });
  const [a] = await net.start('a');
  for (const name of reloads) t.is((await a.reload(name)).outcome, 'committed');
  await a.reload('asker');
  await net.advance(120_000);
  const { resolutions } = await a.run<Explained>('peer.explain', { node_id: STRANGER });
  return resolutions.at(-1)?.steps ?? [];
}

test('the shipped steps come in the order of their cost', async (t) => {
  const steps = await stepsOf(t, [asker]);
  t.deepEqual(
    steps.map(({ step }) => step),
    ORDER,
  );
});

test('an outside plugin adds a step in five lines, in the place that it names, and keeps it over a reload of lookup', async (t) => {
  const guess = outside(
    'guess',
    { limitMs: 1_000, find: async () => ({ kind: 'nothing', reason: 'no idea' }) },
    { after: ['peers-table'], before: ['ask-n2-reporter'] },
  );
  const steps = await stepsOf(t, [asker, guess], ['lookup', 'lookup']);
  t.deepEqual(steps.map(({ step }) => step).slice(0, 4), ['social-cache', 'peers-table', 'guess', 'ask-n2-reporter']);
  t.like(steps[2], { result: 'nothing', reason: 'no idea' });
});

test('a step that throws, never ends or answers nonsense is left behind', async (t) => {
  const broken = [
    outside(
      'throws',
      {
        limitMs: 1_000,
        find: () => {
          throw new Error('broken');
        },
      },
      { before: ['hangs'] },
    ),
    outside('hangs', { limitMs: 1_000, find: () => new Promise(() => {}) }, { before: ['social-cache'] }),
    outside('forever', { limitMs: 1e12, find: () => new Promise(() => {}) }, { after: ['worm-search'] }),
  ];
  const steps = await stepsOf(t, [asker, ...broken]);
  t.deepEqual(
    steps.map(({ step }) => step),
    ['throws', 'hangs', ...ORDER, 'forever'],
  );
  t.like(steps[1], { result: 'nothing', reason: 'no answer within 1000 ms' });
  t.like(steps.at(-1), { reason: 'no answer within 30000 ms' });
});

test('a step whose answer has the wrong shape ended every lookup', async (t) => {
  const answers = [undefined, null, 5, { kind: 'bogus' }, { kind: 'told' }, { kind: 'ask', peers: null }];
  const wrong = answers.map((answer, at) =>
    outside(`wrong-${at}`, { limitMs: 1_000, find: async () => answer }, { before: ['social-cache'] }),
  );
  const steps = await stepsOf(t, [asker, ...wrong]);
  t.deepEqual(
    steps.map(({ step }) => step),
    [...wrong.map(({ name }) => name), ...ORDER],
  );
  t.like(steps[0], { result: 'nothing' });
  t.regex(steps[0]?.reason ?? '', /^its answer does not fit: /);
});

test('a step of the wrong shape refuses its plugin', async (t) => {
  for (const step of [undefined, {}, { limitMs: 5 }, { find: () => {} }, { limitMs: -1, find: () => {} }]) {
    const net = new TestNetwork({ t, builtin: ['peers', 'lookup'], plugins: [outside('misshapen', step)] });
    await t.throwsAsync(net.start('a'), { code: 'testing/not-active', message: /does not fit/ });
  }
});
