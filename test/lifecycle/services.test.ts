import test from 'ava';
import { defineToken } from '../../kernel/index.ts';
import { CallGate } from '../../kernel/lifecycle/call-gate.ts';
import { Services } from '../../kernel/lifecycle/services.ts';

interface Greeter {
  greet(): string;
}
const GREETER = defineToken<Greeter>('greeter');

function provided(text: string, plugin = 'p') {
  const gate = new CallGate(plugin);
  gate.open();
  return { plugin, gate, service: { greet: () => text } };
}

test('a ref finds the present provider at each call, and says so when there is none', async (t) => {
  const services = new Services();
  const ref = services.ref(GREETER);
  const greet = () => ref.use((service) => service.greet());
  t.false(ref.available);
  await t.throwsAsync(greet, { code: 'lifecycle/service-off', message: /greeter/ });
  t.is(await ref.tryUse((service) => service.greet()), undefined);
  services.provide('greeter', provided('hello'));
  t.true(ref.available);
  t.is(services.providerOf('greeter'), 'p');
  t.is(await greet(), 'hello');
  t.is(await ref.tryUse((service) => service.greet()), 'hello');
  services.provide('greeter', provided('hi'));
  t.is(await greet(), 'hi');
});

test('only its own provider withdraws a service', (t) => {
  const services = new Services();
  services.provide('greeter', provided('hello'));
  services.withdraw('greeter', 'q');
  t.is(services.providerOf('greeter'), 'p');
  services.withdraw('greeter', 'p');
  t.is(services.providerOf('greeter'), undefined);
  t.false(services.available('greeter'));
});

test('who waits at the gate of a swap gets the service that came with it, or hears that it is gone', async (t) => {
  const services = new Services();
  const first = provided('hello');
  services.provide('greeter', first);
  const ref = services.ref(GREETER);
  first.gate.hold();
  t.true(ref.available, 'a service that is being swapped is there');
  const waiting = ref.use((service) => service.greet());
  services.provide('greeter', { ...first, service: { greet: () => 'new' } });
  first.gate.open();
  t.is(await waiting, 'new');
  first.gate.hold();
  const late = ref.use((service) => service.greet());
  services.withdraw('greeter', 'p');
  first.gate.open();
  await t.throwsAsync(late, { code: 'lifecycle/service-off' });
});

test('a service whose gate is shut is not available, and a caller may give up waiting', async (t) => {
  const services = new Services();
  const one = provided('hello');
  services.provide('greeter', one);
  const ref = services.ref(GREETER);
  one.gate.hold();
  const controller = new AbortController();
  const waiting = ref.use((service) => service.greet(), { signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
  one.gate.shut();
  t.false(ref.available);
  t.is(await ref.tryUse((service) => service.greet()), undefined);
});

test('a call that can run again gets the service that came with the swap', async (t) => {
  const services = new Services();
  const first = provided('hello');
  services.provide('greeter', first);
  const ref = services.ref(GREETER);
  const met: string[] = [];
  const long = (service: Greeter, signal: AbortSignal): Promise<string> => {
    met.push(service.greet());
    if (met.length === 3) return Promise.resolve(service.greet());
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const answer = ref.tryUse(long, { restart: true });
  for (const text of ['second', 'third']) {
    first.gate.hold();
    services.provide('greeter', { ...first, service: { greet: () => text } });
    first.gate.open();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(await answer, 'third');
  t.deepEqual(met, ['hello', 'second', 'third']);
});

test('what a service throws reaches its caller, at once or later', async (t) => {
  const services = new Services();
  services.provide('greeter', provided('hello'));
  const ref = services.ref(GREETER);
  await t.throwsAsync(
    ref.use(() => {
      throw new Error('at once');
    }),
    { message: 'at once' },
  );
  await t.throwsAsync(
    ref.use(() => Promise.reject(new Error('later'))),
    { message: 'later' },
  );
});
