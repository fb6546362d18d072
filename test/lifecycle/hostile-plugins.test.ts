import test from 'ava';
import { codeOf, messageOf } from '../../kernel/index.ts';
import { hostRig } from './rig.ts';

test('an error that throws when it is read ended the node that reported it', async (t) => {
  const rig = hostRig(t);
  const thrown = [
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('read');
      },
    }),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap');
        },
        getPrototypeOf: () => {
          throw new Error('trap');
        },
      },
    ),
    Object.create(null),
  ];
  for (const one of thrown) {
    t.is(codeOf(one), 'unknown');
    t.is(typeof messageOf(one), 'string');
  }
  await rig.host.add(
    rig.write(
      'weird.ts',
      `import { definePlugin } from 'itsgoin';
       export default definePlugin({
         name: 'weird', version: '1.0.0', kernel: '^1', about: 'Throws what cannot be read',
         setup: () => ({
           loops: { bad: { everyMs: 50, run() { throw Object.create(null); } } },
           diagnostics() { throw Object.create(null); },
         }),
       });`,
    ),
  );
  rig.host.begin();
  // Its probation ends it half a second after its start.
  await rig.clock.advance(450);
  t.true((rig.host.inspect('weird').counters.failures ?? 0) > 3);
  t.is(typeof rig.host.inspect('weird').diagnostics.error, 'string');
});

test('a plugin of the data directory that starts first took the points and names of those that come with the node', async (t) => {
  const rig = hostRig(t);
  const claims = (name: string): string => `
import { bind, contribute, definePlugin, definePoint, defineToken } from 'itsgoin';
const [T, P] = [defineToken('thing'), definePoint('thing/point')];
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Claims', provides: [T], points: [P],
  setup: () => ({ services: [bind(T, {})], contributes: [contribute(P, {}, { name: 'first' })] }),
});`;
  const [local, builtin] = [rig.write('aaa.ts', claims('aaa')), rig.write('zzz.ts', claims('zzz'))];
  await rig.start([builtin], [local]);
  const states = Object.fromEntries(rig.host.list().map(({ name, state }) => [name, state]));
  t.deepEqual(states, { aaa: 'failed', zzz: 'active' });
});
