import test, { type ExecutionContext } from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { Bus } from '../../kernel/bus/bus.ts';
import { DATAGRAM_MAX_BYTES, type Sockets } from '../../kernel/sdk/sockets.ts';
import { type MemoryNetwork, memoryNetwork } from '../../kernel/transport/index.ts';
import { createDispatcher, createNetwork, type NetworkHost, SocketLender } from '../../kernel/wire/index.ts';
import { freshCredentials } from '../contract/transport-rig.ts';
import { recordingLog } from '../rig/recording-log.ts';

interface Machine {
  readonly network: NetworkHost;
  readonly address: string;
  readonly counters: () => Readonly<Record<string, number>>;
  /** The sockets as a generation of this plugin gets them, until the controller aborts. */
  borrow(plugin: string): { sockets: Sockets; generation: AbortController };
}

class World {
  readonly clock = new VirtualClock();
  readonly log = recordingLog();
  readonly net: MemoryNetwork = memoryNetwork({
    clock: this.clock,
    random: seededRandom(1),
    log: this.log,
    counters: (host) => this.counters.of(host),
  });
  readonly counters = createCounters();

  async machine(t: ExecutionContext, host: string, treatAsPublic: readonly string[] = []): Promise<Machine> {
    const { clock, log } = this;
    const counters = this.counters.of(`wire ${host}`);
    const dispatcher = createDispatcher({ clock, counters, log });
    const network = createNetwork({
      transport: this.net.transport(host),
      credentials: freshCredentials(),
      dispatcher,
      bus: { publish() {} } as Partial<Bus> as Bus,
      clock,
      features: () => [],
      onDatagram: (datagram, from) => lender.onDatagram(datagram, from),
    });
    const lender = new SocketLender({ network, clock, counters, log, treatAsPublic });
    await network.listen();
    t.teardown(async () => {
      dispatcher.close();
      await network.shutdown();
    });
    return {
      network,
      address: `${host}:${network.port}`,
      counters: () => counters.read(),
      borrow: (plugin) => {
        const generation = new AbortController();
        return { sockets: lender.lend({ plugin, signal: generation.signal }), generation };
      },
    };
  }
}

async function pair(t: ExecutionContext) {
  const world = new World();
  return {
    world,
    a: await world.machine(t, '198.51.100.1', ['198.51.100.0/24']),
    b: await world.machine(t, '198.51.100.2', ['198.51.100.0/24']),
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test('datagrams go to the plugin that asked for their prefix, and are answered to their sender', async (t) => {
  const { world, a, b } = await pair(t);
  const [left, right] = [a.borrow('nat').sockets, b.borrow('nat').sockets];
  const other = b.borrow('lan').sockets;
  const got: string[] = [];
  left.main.receive(Buffer.from('1pong'), (bytes, from) => got.push(`${text(bytes)} from ${from}`));
  right.main.receive(Buffer.from('1ping'), (bytes, from) => {
    got.push(text(bytes));
    t.is(right.main.send(Buffer.from('1pong'), from, { toldFrom: from }), 'sent');
  });
  other.main.receive(Buffer.from('2'), (bytes) => got.push(`other ${text(bytes)}`));
  t.is(left.main.send(Buffer.from('1ping!'), b.address), 'sent');
  t.is(left.main.send(Buffer.from('2x'), b.address), 'sent');
  await world.clock.advance(1);
  t.deepEqual(got, ['1ping!', 'other 2x', `1pong from ${b.address}`]);
  t.is(left.main.port, a.network.port);
  t.deepEqual(left.main.localAddresses(), [a.address]);
});

test('prefixes that are QUIC, ours, too long, too many or taken are refused by name', async (t) => {
  const { a } = await pair(t);
  const [nat, lan] = [a.borrow('nat').sockets, a.borrow('lan').sockets];
  for (const bad of [[], [0x20], [0x20, 1], [0x40], [0x80], [0xff], Array<number>(17).fill(1)])
    t.throws(() => nat.main.receive(Uint8Array.from(bad), () => {}), { code: 'transport/bad-prefix' });
  nat.main.receive(Uint8Array.of(0x30, 1), () => {});
  for (const taken of [[0x30], [0x30, 1], [0x30, 1, 2]])
    t.throws(() => lan.main.receive(Uint8Array.from(taken), () => {}), { code: 'transport/prefix-taken' });
  lan.main.receive(Uint8Array.of(0x30, 2), () => {})();
  lan.main.receive(Uint8Array.of(0x3f), () => {})();
  for (let second = 10; second < 41; second++) lan.main.receive(Uint8Array.of(0x30, second), () => {});
  t.throws(() => lan.main.receive(Uint8Array.of(0x31), () => {}), { code: 'transport/too-many-prefixes' });
});

test("a new generation's listener takes the place of the old one's, and gives it back when it fails", async (t) => {
  const { world, a, b } = await pair(t);
  const { sockets: sender } = a.borrow('nat');
  const got: string[] = [];
  const [old, next] = [b.borrow('nat'), b.borrow('nat')];
  old.sockets.main.receive(Uint8Array.of(0x31), () => got.push('old'));
  next.sockets.main.receive(Uint8Array.of(0x31), () => got.push('new'));
  const send = async () => {
    sender.main.send(Uint8Array.of(0x31), b.address);
    await world.clock.advance(1);
  };
  await send();
  next.generation.abort();
  await send();
  old.generation.abort();
  await send();
  t.deepEqual(got, ['new', 'old']);
  t.throws(() => old.sockets.main.receive(Uint8Array.of(0x31), () => {}));
  t.is(old.sockets.main.send(Uint8Array.of(0x31), a.address), 'unreachable');
});

test('addresses are sent to by the rule for dials: public ones, narrower ones among their like', async (t) => {
  const world = new World();
  const { sockets } = (await world.machine(t, '192.168.1.2')).borrow('nat');
  const send = (to: string, toldFrom?: string) =>
    sockets.main.send(Uint8Array.of(0x31), to, toldFrom === undefined ? {} : { toldFrom });
  t.is(send('8.8.8.8:53'), 'sent');
  t.is(send('192.168.1.3:4433'), 'forbidden');
  t.is(send('192.168.1.3:4433', '203.0.113.5:1'), 'forbidden');
  t.is(send('192.168.1.3:4433', '192.168.1.9:4433'), 'sent');
  t.is(send('127.0.0.1:4433', '192.168.1.9:4433'), 'forbidden');
  for (const to of ['224.0.0.251:5353', '255.255.255.255:1', '0.0.0.0:1', 'example.org:1', '8.8.8.8:0', '8.8.8.8', ''])
    t.is(send(to, to), 'forbidden', to);
  t.is(sockets.main.send(Buffer.alloc(0), '8.8.8.8:53'), 'too-long');
  t.is(sockets.main.send(Buffer.alloc(DATAGRAM_MAX_BYTES + 1), '8.8.8.8:53'), 'too-long');
  t.is(sockets.main.send(Buffer.alloc(DATAGRAM_MAX_BYTES), '8.8.8.8:53'), 'sent');
  t.is(send('[2001:4860:4860::8888]:53'), 'unreachable', 'an IPv4 machine');
});

test('a plugin sends 1,024 at once and 500 a second, and no site gets more than 512 and 250', async (t) => {
  const { world, a } = await pair(t);
  const { sockets, generation } = a.borrow('nat');
  const sent = (count: number, to: (index: number) => string, from = sockets): number =>
    Array.from({ length: count }, (_, i) => from.main.send(Uint8Array.of(0x31), to(i))).filter((o) => o === 'sent')
      .length;
  t.is(
    sent(600, (i) => `8.8.8.8:${1 + i}`),
    512,
  );
  t.is(
    sent(600, (i) => `8.8.${1 + (i >> 8)}.${i & 255}:1`),
    512,
  );
  t.is(
    sent(10, () => '9.9.9.9:1'),
    0,
  );
  t.is(sockets.main.send(Uint8Array.of(0x31), '9.9.9.9:1'), 'over-rate');
  generation.abort();
  t.is(
    sent(10, () => '9.9.9.9:1', a.borrow('nat').sockets),
    0,
    'a reload is no way to a full budget',
  );
  t.is(
    sent(10, () => '8.8.8.8:1', a.borrow('lan').sockets),
    0,
    'nor is another plugin to more for one site',
  );
  t.is(
    sent(10, () => '9.9.9.9:1', a.borrow('lan').sockets),
    10,
  );
  await world.clock.advance(1_000);
  t.is(
    sent(600, () => '8.8.8.8:1', a.borrow('nat').sockets),
    250,
  );
  t.is(
    sent(600, (i) => `8.9.${i >> 8}.${i & 255}:1`, a.borrow('nat').sockets),
    250,
  );
});

test('floods, long datagrams and listeners that throw harm nobody', async (t) => {
  const { world, a, b } = await pair(t);
  const { sockets } = b.borrow('nat');
  let got = 0;
  sockets.main.receive(Uint8Array.of(0x31), () => {
    got++;
  });
  sockets.main.receive(Uint8Array.of(0x32), () => {
    throw new Error('listener');
  });
  const raw = a.network.endpoint?.socket;
  const to = { host: '198.51.100.2', port: b.network.port, family: 4 } as const;
  for (let i = 0; i < 5_000; i++) raw?.send(Uint8Array.of(0x31), to);
  raw?.send(Buffer.alloc(1_201, 0x31), to);
  await world.clock.advance(1);
  t.is(got, 4_000);
  t.is(b.counters()['datagrams-over-rate'], 1_000);
  await world.clock.advance(1_000);
  raw?.send(Uint8Array.of(0x32), to);
  raw?.send(Uint8Array.of(0x31), to);
  await world.clock.advance(1);
  t.is(b.counters()['datagram-listener-threw'], 1);
  t.is(got, 4_001);
  t.is(b.network.counters().garbage, 1);
});

test('a generation opens 256 sockets, which close with it, unless a connection lives on them', async (t) => {
  const { world, a, b } = await pair(t);
  const { sockets, generation } = a.borrow('nat');
  const all = [];
  for (let i = 0; i < 256; i++) all.push(await sockets.open());
  await t.throwsAsync(sockets.open(), { code: 'transport/too-many-sockets' });
  all.pop()?.close();
  const winner = await sockets.open();
  const got: number[] = [];
  b.borrow('nat').sockets.main.receive(Uint8Array.of(0x31), (_bytes, from) => got.push(Number(from.split(':')[1])));
  t.is(winner.send(Uint8Array.of(0x31), b.address), 'sent');
  const dialling = winner.dial({ nodeId: b.network.self.nodeId, addresses: [b.address] });
  await world.clock.advance(1);
  const connection = await dialling;
  t.deepEqual(got, [winner.port]);
  t.is(b.network.connections()[0]?.remoteAddr, `198.51.100.1:${winner.port}`);
  t.is((await winner.dial({ nodeId: b.network.self.nodeId, addresses: [b.address] })).id, connection.id);
  generation.abort(new Error('reloaded'));
  t.is(winner.send(Uint8Array.of(0x31), b.address), 'unreachable');
  await t.throwsAsync(sockets.open(), { message: 'reloaded' });
  await world.clock.advance(60_000);
  t.is(a.network.connections()[0]?.id, connection.id, 'the connection lives on');
  const next = a.borrow('nat').sockets;
  for (let i = 0; i < 256; i++) await next.open();
  const another = a.borrow('lan').sockets;
  for (let i = 0; i < 255; i++) await another.open();
  await t.throwsAsync(another.open(), { code: 'transport/too-many-sockets' }, 'the one with the connection counts');
});

test('peers may dial a further socket once it accepts, and anything may be heard on it before', async (t) => {
  const { world, a, b } = await pair(t);
  const socket = await b.borrow('nat').sockets.open();
  const address = `198.51.100.2:${socket.port}`;
  t.deepEqual(socket.localAddresses(), [address]);
  const got: string[] = [];
  socket.receive(new Uint8Array(0), (bytes) => got.push(text(bytes)));
  const { sockets } = a.borrow('nat');
  sockets.main.send(Buffer.from('HTTP/1.1 200 OK'), address);
  await world.clock.advance(1);
  t.deepEqual(got, ['HTTP/1.1 200 OK']);
  socket.accept();
  sockets.main.send(Buffer.from('HTTP/1.1 200 OK'), address);
  const dialling = a.network.dial({ nodeId: b.network.self.nodeId, addresses: [address] });
  await world.clock.advance(1);
  t.is((await dialling).remoteAddr, address);
  t.is(got.length, 1, 'what looks like QUIC is QUIC now');
  socket.close();
  socket.accept();
  const late = t.throwsAsync((await world.machine(t, '198.51.100.3')).network.dial({ addresses: [address] }), {
    code: 'transport/dial-timeout',
  });
  await world.clock.advance(15_000);
  await late;
});

test('before the node listens there is a main socket to ask for prefixes, and nothing else', async (t) => {
  const clock = new VirtualClock();
  const log = recordingLog();
  const counters = createCounters().of('wire');
  const network = { endpoint: undefined } as Partial<NetworkHost> as NetworkHost;
  const sockets = new SocketLender({ network, clock, counters, log, treatAsPublic: [] }).lend({
    plugin: 'nat',
    signal: new AbortController().signal,
  });
  t.is(sockets.main.port, 0);
  t.deepEqual(sockets.main.localAddresses(), []);
  t.is(sockets.main.send(Uint8Array.of(0x31), '8.8.8.8:1'), 'unreachable');
  t.notThrows(() => sockets.main.receive(Uint8Array.of(0x31), () => {}));
  await t.throwsAsync(sockets.open(), { code: 'transport/closed' });
});
