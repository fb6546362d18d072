import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { AddressBlock } from '../../kernel/sdk/kit/block-shares.ts';
import type { Connection } from '../../kernel/transport/transport.ts';
import { BlockPoints } from '../../kernel/wire/budget.ts';
import { createDispatcher } from '../../kernel/wire/index.ts';
import type { WireConnection } from '../../kernel/wire/wire-connection.ts';
import { recordingLog } from '../rig/recording-log.ts';

const HOST: AddressBlock[] = [{ name: '192.0.2.1/32', shares: 1 }];

test('a host that came back under another identity began anew, however often it had been closed for misbehaviour', async (t) => {
  const clock = new VirtualClock();
  const counters = createCounters().of('wire');
  const dispatcher = createDispatcher({ clock, counters, log: recordingLog() });
  t.teardown(() => dispatcher.close());
  let ids = 0;
  const come = (blocks: AddressBlock[], kept = false, direction = 'inbound') => {
    const closed: string[] = [];
    const connection = {
      id: ++ids,
      direction,
      peer: { nodeId: ids.toString(16).padStart(64, '0'), deviceId: ids.toString(16).padStart(64, '1') },
      close: (_code: number, reason: string) => void closed.push(reason),
    } as unknown as Connection;
    return { wire: dispatcher.attach(connection, { blocks, kept }) as WireConnection, closed };
  };
  for (let n = 0; n < 4; n++) {
    const { wire, closed } = come(HOST);
    t.deepEqual(closed, [], `identity ${n} is served as it comes`);
    wire.blame(101);
    t.deepEqual(closed, ['misbehaviour']);
  }
  t.deepEqual(come(HOST).closed, ['misbehaviour']);
  t.is(counters.read()['refused-for-address'], 1);
  t.deepEqual(come(HOST, true).closed, [], 'a contact there is served');
  t.deepEqual(come(HOST, false, 'outbound').closed, [], 'and whom we dial');
  t.deepEqual(come([{ name: '198.51.100.1/32', shares: 1 }]).closed, []);
  t.deepEqual(come([]).closed, []);
  await clock.advance(200_000);
  t.deepEqual(come(HOST).closed, [], 'after a while it is forgiven');
});

test('a /48 has four shares of patience and of forgiveness', (t) => {
  const points = new BlockPoints();
  const site: AddressBlock[] = [{ name: '2001:db8::/48', shares: 4 }];
  points.blame(site, 1_600, 0);
  t.false(points.exceeds(site, 0));
  points.blame(site, 1, 0);
  t.true(points.exceeds(site, 0));
  t.false(points.exceeds(site, 1_000));
});
