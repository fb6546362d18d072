import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { CLOSE_CODES } from '../../kernel/index.ts';
import type { Topic } from '../../kernel/index.ts';
import type { Bus } from '../../kernel/bus/bus.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { Connection, EndpointOptions, Transport } from '../../kernel/transport/transport.ts';
import { SHARED_STREAMS, createDispatcher, createNetwork } from '../../kernel/wire/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { fakeSocket } from './fake-socket.ts';
import type { FakeConnection } from './pair.ts';
import { connectionPair, testPeer } from './pair.ts';
import { ask, note, settle } from './rig.ts';

async function networkRig(options: { advertise?: string[] } = {}) {
  const clock = new VirtualClock();
  const events: [string, unknown][] = [];
  const bus = {
    publish: (topic: Topic<unknown>, event: unknown) => void events.push([topic.name, event]),
  } as Partial<Bus> as Bus;
  const dispatcher = createDispatcher({ clock, counters: createCounters().of('wire'), log: recordingLog() });
  let accept: EndpointOptions['onConnection'] = () => {};
  let dialled: Connection | undefined;
  const socket = fakeSocket();
  const transport: Transport = {
    open: async ({ onConnection }) => {
      accept = onConnection;
      return {
        port: 4433,
        socket,
        openSocket: async () => socket,
        localAddresses: () => [
          { host: '192.0.2.1', port: 4433, family: 4 },
          { host: '2001:db8::1', port: 4433, family: 6 },
        ],
        dial: async () => dialled as Connection,
        connections: () => [],
        counters: () => ({ handshakes: 1 }),
        close: async () => {},
      };
    },
  };
  const self = testPeer('5');
  const credentials = { self, certificateChainPem: '', deviceKeyPem: '' };
  const features = () => ['packed-ids'];
  const network = createNetwork({ transport, credentials, dispatcher, bus, clock, features, ...options });
  await network.listen();
  /** A connection of a peer to this node: our end and the peer's. */
  const join = (digit: string): [FakeConnection, FakeConnection] => {
    const [theirs, ours] = connectionPair(testPeer(digit), self);
    accept(ours);
    return [ours, theirs];
  };
  const dialTo = (connection: Connection) => {
    dialled = connection;
  };
  return { clock, events, dispatcher, network, join, dialTo };
}

test('connections come and go in the table and on the bus', async (t) => {
  const { events, network, join } = await networkRig();
  const [ours] = join('1');
  t.like(network.connections(), [{ id: ours.id, kind: 'ephemeral', direction: 'inbound', remoteAddr: '127.0.0.1:1' }]);
  t.true(Object.isFrozen(network.connection(ours.id)));
  network.setKind(ours.id, 'mesh');
  t.is(network.connection(ours.id)?.kind, 'mesh');
  network.close(ours.id, 'mesh-full');
  t.deepEqual(network.connections(), []);
  t.like(events, [
    ['connection/opened', { id: ours.id }],
    ['connection/closed', { id: ours.id, kind: 'mesh', reason: 'mesh-full', byPeer: false }],
  ]);
  network.close(ours.id, 'done');
  network.setKind(ours.id, 'lan');
});

test('MESH-10: a peer that reconnected keeps its new entry when the old one is torn down late, 1,000 times', async (t) => {
  const { network, join } = await networkRig();
  let [old] = join('1');
  for (let round = 0; round < 1_000; round++) {
    const [fresh] = join('1');
    old.close(CLOSE_CODES.zombie, 'zombie');
    old.onClose({ byPeer: true, code: undefined, reason: 'idle-timeout' });
    t.deepEqual(
      network.connectionsOf(old.peer.nodeId).map(({ id }) => id),
      [fresh.id],
    );
    old = fresh;
  }
});

test('MESH-09: frames in either direction are activity, whatever else the transport does is not', async (t) => {
  const { clock, dispatcher, network, join } = await networkRig();
  const [ours, theirs] = join('1');
  const lastActivity = () => network.connection(ours.id)?.lastActivityMs;
  const start = clock.now();
  await clock.advance(1_000);
  t.is(lastActivity(), start);
  await dispatcher.send(ours, note, { n: 1 });
  t.is(lastActivity(), start + 1_000, 'sent');
  await clock.advance(1_000);
  theirs.openUni().write(Uint8Array.of(0xe0, 0, 0, 0, 2, 0x7b, 0x7d), true);
  await settle();
  t.is(lastActivity(), start + 2_000, 'received');
});

test('messages find the newest live connection of a node, or the one that is named', async (t) => {
  const { dispatcher, network, join } = await networkRig();
  dispatcher.router.install('p', []);
  const got: number[] = [];
  const ends = [join('1'), join('1'), join('2')];
  for (const [at, [, theirs]] of ends.entries()) theirs.onStream = () => void got.push(at);
  const [first, second] = [ends[0]?.[0] as FakeConnection, ends[1]?.[0] as FakeConnection];
  await network.sendTo(first.peer.nodeId, note, { n: 1 });
  await network.sendTo(first.peer, note, { n: 1 });
  await network.sendTo(first.peer.nodeId, note, { n: 1 }, { connectionId: first.id });
  await settle();
  t.deepEqual(got, [1, 1, 0]);
  second.close(0, 'done');
  await network.sendTo(first.peer.nodeId, note, { n: 1 });
  await settle();
  t.deepEqual(got, [1, 1, 0, 0]);
  await t.throwsAsync(network.sendTo(testPeer('9').nodeId, ask, { n: 1 }), { code: 'wire/not-connected' });
  await t.throwsAsync(network.sendTo({ ...first.peer, deviceId: testPeer('9').deviceId }, ask, { n: 1 }), {
    code: 'wire/not-connected',
  });
});

test('a dial gives the connection there is, or the one the endpoint made', async (t) => {
  const { network, join, dialTo } = await networkRig();
  const [ours] = join('1');
  t.is((await network.dial({ nodeId: ours.peer.nodeId, addresses: [] })).id, ours.id);
  const [other] = join('2');
  dialTo(other);
  t.is((await network.dial({ addresses: ['192.0.2.7:1'] })).id, other.id);
  await t.throwsAsync(network.dial({ addresses: ['not an address'] }), { code: 'transport/bad-address' });
});

test('advertised addresses come before those of the interfaces, none twice', async (t) => {
  const { network } = await networkRig({ advertise: ['203.0.113.9:4433', '192.0.2.1:4433'] });
  t.deepEqual(network.localAddresses(), ['203.0.113.9:4433', '192.0.2.1:4433', '[2001:db8::1]:4433']);
  t.deepEqual(network.features(), ['packed-ids', SHARED_STREAMS]);
  t.is(network.port, 4433);
});

test('a peer that was closed for misbehaviour and comes straight back leaves no entry', async (t) => {
  const { events, network, join } = await networkRig();
  const [, theirs] = join('1');
  for (let at = 0; at < 150; at++) {
    if (theirs.closed === undefined) theirs.openUni().write(Uint8Array.of(0x42, 0, 0, 0, 0), true);
    if (theirs.closed === undefined) theirs.openUni().write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff), true);
    await settle();
  }
  t.like(theirs.closed, { reason: 'misbehaviour' });
  const [, again] = join('1');
  t.like(again.closed, { reason: 'misbehaviour' });
  t.deepEqual(network.connections(), []);
  t.deepEqual(
    events.map(([name]) => name),
    ['connection/opened', 'connection/closed'],
  );
});

test('after a shutdown the table is empty and everybody was told', async (t) => {
  const { events, network, join } = await networkRig();
  join('1');
  join('2');
  await network.shutdown();
  t.is(network.connections().length, 0);
  t.is(events.filter(([name]) => name === 'connection/closed').length, 2);
});
