import { writeFileSync } from 'node:fs';
import test from 'ava';
import { featuresChanged, serviceArrived, serviceDeparted } from '../../kernel/index.ts';
import { counterPlugin, hostRig } from './rig.ts';

const offering = (...features: string[]): string => counterPlugin({ fields: `features: ${JSON.stringify(features)},` });

test('what peers are told follows the plugins that are on: sorted, each once, and told of only when it changes', async (t) => {
  const rig = hostRig(t);
  const told: (readonly string[])[] = [];
  rig.bus.subscribe('test', featuresChanged, ({ features }) => void told.push(features));
  const path = rig.write('counter.ts', offering('zebra', 'apple'));
  await rig.host.add(path);
  const other = offering('apple', 'melon').replaceAll("'counter", "'other");
  await rig.host.add(rig.write('other.ts', other));
  await rig.host.reload('counter');
  t.deepEqual(rig.host.features(), ['apple', 'melon', 'zebra']);
  await rig.host.disable('other');
  writeFileSync(path, offering());
  await rig.host.reload('counter');
  t.deepEqual(told, [['apple', 'zebra'], ['apple', 'melon', 'zebra'], ['apple', 'zebra'], []]);
});

test('a swap that takes a service away and brings another is told of by token, one that keeps it is not', async (t) => {
  const rig = hostRig(t);
  const told: string[] = [];
  rig.bus.subscribe('test', serviceArrived, ({ token, plugin }) => void told.push(`${plugin} +${token}`));
  rig.bus.subscribe('test', serviceDeparted, ({ token, plugin }) => void told.push(`${plugin} -${token}`));
  const path = rig.write('counter.ts', counterPlugin());
  await rig.host.add(path);
  await rig.host.reload('counter');
  writeFileSync(path, counterPlugin().replace("defineToken('counter')", "defineToken('tally')"));
  await rig.host.reload('counter');
  t.deepEqual(told, ['counter +counter', 'counter -counter', 'counter +tally']);
});
