import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { Bus } from '../../kernel/bus/bus.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { Connection, Endpoint, EndpointOptions } from '../../kernel/transport/transport.ts';
import { createDispatcher, createNetwork } from '../../kernel/wire/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { fakeSocket, unheard } from './fake-socket.ts';
import { connectionPair, testPeer } from './pair.ts';

/** What a network asks of its endpoint. */

async function rig(settings: Partial<Parameters<typeof createNetwork>[0]> = {}) {
  const clock = new VirtualClock();
  const dispatcher = createDispatcher({ clock, counters: createCounters().of('wire'), log: recordingLog() });
  const asked: { target: Parameters<Endpoint['dial']>[0]; signal: AbortSignal | undefined }[] = [];
  const socket = fakeSocket();
  let opened: EndpointOptions | undefined;
  /** What the next dial ends with. */
  const next: { dial: () => Promise<Connection> } = { dial: () => Promise.reject(new Error('nobody there')) };
  const network = createNetwork({
    transport: {
      async open(options) {
        opened = options;
        return {
          port: 4433,
          socket,
          openSocket: async () => socket,
          localAddresses: () => [],
          dial: (target, signal) => {
            asked.push({ target, signal });
            return next.dial();
          },
          connections: () => [],
          counters: () => ({ handshakes: 7 }),
          close: async () => {},
        };
      },
    },
    credentials: { self: testPeer('5'), certificateChainPem: '', deviceKeyPem: '' },
    dispatcher,
    bus: { publish: () => {} } as Partial<Bus> as Bus,
    clock,
    features: () => [],
    ...settings,
  });
  await network.listen();
  const join = (digit: string): Connection => {
    const [, ours] = connectionPair(testPeer(digit), testPeer('5'));
    opened?.onConnection(ours);
    return ours;
  };
  return { network, asked, next, join, socket, opened: () => opened };
}

const text = ({ host, port }: { host: string; port: number }): string => `${host} ${port}`;

test("a dial hands over the addresses in their order, who is expected and the caller's signal", async (t) => {
  const { network, asked } = await rig();
  const { signal } = new AbortController();
  const { nodeId } = testPeer('7');
  await t.throwsAsync(network.dial({ nodeId, addresses: ['192.0.2.1:1', '[2001:db8::1]:2'] }, { signal }), {
    message: 'nobody there',
  });
  t.deepEqual(asked[0]?.target.addresses.map(text), ['192.0.2.1 1', '2001:db8::1 2']);
  t.is(asked[0]?.target.expect, nodeId);
  t.is(asked[0]?.signal, signal);
  await t.throwsAsync(network.dial({ addresses: ['192.0.2.1:1'] }));
  t.false('expect' in (asked[1]?.target ?? {}));
});

test('addresses that do not resolve are left out; when none does, the dial says why', async (t) => {
  const { network, asked } = await rig();
  await t.throwsAsync(network.dial({ addresses: ['no address', '192.0.2.1:1'] }), { message: 'nobody there' });
  t.deepEqual(asked[0]?.target.addresses.map(text), ['192.0.2.1 1']);
  await t.throwsAsync(network.dial({ addresses: ['no address'] }), { code: 'transport/bad-address' });
  t.is(asked.length, 1);
});

test('of more than 32 addresses the rest is not tried', async (t) => {
  const { network, asked } = await rig();
  const addresses = Array.from({ length: 40 }, (_, at) => `192.0.2.${at}:1`);
  await t.throwsAsync(network.dial({ addresses }));
  t.deepEqual(
    asked[0]?.target.addresses.map(({ host }) => host),
    addresses.slice(0, 32).map((address) => address.slice(0, -2)),
  );
});

test('a caller that gave up while names were resolved dials nobody', async (t) => {
  const { network, asked } = await rig();
  const signal = AbortSignal.abort(new Error('enough'));
  await t.throwsAsync(network.dial({ addresses: ['192.0.2.1:1'] }, { signal }), { message: 'enough' });
  t.deepEqual(asked, []);
});

test('a connection there is needs no dial, unless it has closed; a connection that ended in the dial is none', async (t) => {
  const { network, asked, join, next } = await rig();
  const ours = join('7');
  const target = { nodeId: ours.peer.nodeId, addresses: ['192.0.2.1:1'] };
  t.is((await network.dial(target)).id, ours.id);
  t.is(asked.length, 0);
  ours.close(0, 'done');
  await t.throwsAsync(network.dial(target), { message: 'nobody there' });
  t.is(asked.length, 1);
  next.dial = async () => ours;
  await t.throwsAsync(network.dial(target), { code: 'wire/not-connected' });
});

test('a dial from a further socket says so to the endpoint, one from the main one does not', async (t) => {
  const { network, asked, socket } = await rig();
  await t.throwsAsync(network.dialFrom(socket, { addresses: ['192.0.2.1:1'] }));
  await t.throwsAsync(network.dial({ addresses: ['192.0.2.1:1'] }));
  t.is(asked[0]?.target.from, socket);
  t.false('from' in (asked[1]?.target ?? {}));
});

test('listening hands the settings on, and what is not QUIC to whoever asked for it', async (t) => {
  const bare = await rig();
  t.deepEqual(Object.keys(bare.opened() ?? {}).sort(), ['blocksOf', 'credentials', 'isKept', 'onConnection']);
  t.is(bare.socket.onDatagram, unheard);
  const bind = { host: '127.0.0.1', port: 0, family: 4 } as const;
  const onDatagram = () => true;
  const full = await rig({ bind, limits: { connections: 7 } as never, onDatagram });
  t.is(full.opened()?.bind, bind);
  t.deepEqual(full.opened()?.limits, { connections: 7 } as never);
  t.is(full.socket.onDatagram, onDatagram);
  t.is(full.network.port, 4433);
  t.deepEqual(full.network.counters(), { handshakes: 7 });
});

test('what is known of one connection, and of one there is not', async (t) => {
  const { network, join } = await rig({ treatAsPublic: ['127.0.0.0/8'] });
  const ours = join('7');
  t.is(network.kindOf(ours.id), 'ephemeral');
  network.setKind(ours.id, 'session');
  t.is(network.kindOf(ours.id), 'session');
  t.is(network.lastActivityMsOf(ours.id), network.connection(ours.id)?.lastActivityMs);
  t.deepEqual(
    [network.kindOf(-1), network.lastActivityMsOf(-1), network.connection(-1)],
    [undefined, undefined, undefined],
  );
  t.deepEqual(network.connectionsOf(testPeer('9').nodeId), []);
  t.true(network.mayDial('127.0.0.1:4433', '192.0.2.1:1'));
  t.false(network.mayDial('10.0.0.1:4433', '192.0.2.1:1'));
});
