import test from 'ava';
import { createCounters, startGauges } from '../../kernel/observe/index.ts';

test('an owner has 512 names; what comes from outside cannot make more', (t) => {
  const counters = createCounters();
  for (let i = 0; i < 600; i++) counters.of('a').add(`name-${i}`);
  counters.of('a').add('name-0', 4);
  const values = counters.of('a').read();
  t.is(Object.keys(values).length, 512);
  t.is(values.other, 600 - 511);
  t.is(values['name-0'], 5);
});

test('owners are apart and can be forgotten', (t) => {
  const counters = createCounters();
  counters.of('a').add('x');
  counters.of('b').add('x', 2);
  t.deepEqual(counters.read(), { a: { x: 1 }, b: { x: 2 } });
  counters.drop('a');
  t.deepEqual(counters.read(), { b: { x: 2 } });
});

test('gauges see a blocked event loop', async (t) => {
  const gauges = startGauges();
  t.teardown(() => gauges.stop());
  await new Promise((resolve) => setTimeout(resolve, 60));
  gauges.reset();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const until = performance.now() + 150;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 60));
  const reading = gauges.read();
  t.true(reading.loopDelayMs.max >= 100, `saw ${reading.loopDelayMs.max} ms`);
  t.true(reading.rssBytes > 1e7 && reading.cpuMs > 0);
});
