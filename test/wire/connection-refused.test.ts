import test from 'ava';
import { createBus } from '../../kernel/bus/index.ts';
import { systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { ItsgoinError } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { quicTransport } from '../../kernel/transport/index.ts';
import { createDispatcher, createNetwork, type Dispatcher, type NetworkHost } from '../../kernel/wire/index.ts';
import { freshCredentials, silentLog, until } from '../contract/transport-rig.ts';
import { ask } from './rig.ts';

interface Machine {
  readonly network: NetworkHost;
  readonly dispatcher: Dispatcher;
}

async function machine(maxConnections = 10): Promise<Machine> {
  const [clock, random, log, registry] = [systemClock(), systemRandom(), silentLog, createCounters()];
  const dispatcher = createDispatcher({ clock, counters: registry.of('wire'), log });
  const network = createNetwork({
    transport: quicTransport({ clock, random, log, counters: registry.of('transport') }),
    credentials: freshCredentials(),
    dispatcher,
    bus: createBus({ clock, log, counters: registry }),
    clock,
    features: () => [],
    bind: { host: '127.0.0.1', port: 0, family: 4 },
    limits: { maxConnections },
  });
  await network.listen();
  return { network, dispatcher };
}

test('a request to a peer that refuses the connection says that it was not read, and may be sent again', async (t) => {
  const [full, first, second] = [await machine(1), await machine(), await machine()];
  t.teardown(async () => {
    for (const { network, dispatcher } of [full, first, second]) {
      await network.shutdown();
      dispatcher.close();
    }
  });
  let handled = 0;
  full.dispatcher.router.install('p', [{ message: ask, handler: () => ({ n: ++handled }) }]);
  const target = { nodeId: full.network.self.nodeId, addresses: [`127.0.0.1:${full.network.port}`] };
  await first.network.dial(target);
  await until(() => full.network.connections().length === 1);
  const { peer } = await second.network.dial(target);
  const error = await t.throwsAsync(second.network.sendTo(peer, ask, { n: 1 }));
  t.true(error instanceof ItsgoinError && error.retryable);
  t.like(error, { code: 'wire/connection-refused', data: { reason: 'over-capacity', name: 'PostFetchRequest' } });
  t.is(handled, 0);
  t.deepEqual(second.network.connections(), []);
});
