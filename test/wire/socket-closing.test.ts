import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { Endpoint, EndpointSocket } from '../../kernel/transport/transport.ts';
import { type NetworkHost, SocketLender } from '../../kernel/wire/index.ts';
import { recordingLog } from '../rig/recording-log.ts';

const SOCKETS_MAX = 256;

function rig() {
  const opened: EndpointSocket[] = [];
  const socket = (): EndpointSocket => {
    let isClosed = false;
    const one: EndpointSocket = {
      port: 4433,
      get closed() {
        return isClosed;
      },
      localAddresses: () => [],
      onDatagram: () => false,
      send: () => true,
      accept() {},
      close() {
        isClosed = true;
      },
    };
    opened.push(one);
    return one;
  };
  const endpoint = { socket: socket(), openSocket: async () => socket() } as Partial<Endpoint> as Endpoint;
  const lender = new SocketLender({
    network: { endpoint } as Partial<NetworkHost> as NetworkHost,
    clock: new VirtualClock(),
    counters: createCounters().of('wire'),
    log: recordingLog(),
    treatAsPublic: [],
  });
  const generation = new AbortController();
  return { sockets: lender.lend({ plugin: 'p', signal: generation.signal }), generation, opened };
}

test('a socket that is closed twice makes room for one other, not for two', async (t) => {
  const { sockets } = rig();
  const first = await sockets.open();
  for (let n = 1; n < SOCKETS_MAX; n++) await sockets.open();
  await t.throwsAsync(sockets.open(), { code: 'transport/too-many-sockets' });
  first.close();
  first.close();
  await sockets.open();
  await t.throwsAsync(sockets.open(), { code: 'transport/too-many-sockets' });
});

test('the sockets of a generation close when it ends, and it opens no more', async (t) => {
  const { sockets, generation, opened } = rig();
  await sockets.open();
  const closed = await sockets.open();
  closed.close();
  generation.abort(new Error('over'));
  t.deepEqual(
    opened.map((socket) => socket.closed),
    [false, true, true],
    'the node keeps its own',
  );
  await t.throwsAsync(sockets.open(), { message: 'over' });
});

test('a socket that opens after the end of its generation is closed at once', async (t) => {
  const { sockets, generation, opened } = rig();
  const opening = sockets.open();
  generation.abort(new Error('over'));
  await t.throwsAsync(opening, { message: 'over' });
  t.true(opened.at(-1)?.closed);
});
