import { randomInt } from 'node:crypto';
import v8 from 'node:v8';
import vm from 'node:vm';
import test from 'ava';
import { Value } from '../../kernel/sdk/typebox.ts';
import { closeStack, openStack } from '../../bench/wire/full-stack.ts';
import { VirtualClock, seededRandom } from '../../kernel/clock/index.ts';
import type { DeviceId, NodeId, Random } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { MessageHandler } from '../../kernel/wire/index.ts';
import { SHARED_STREAMS, createDispatcher } from '../../kernel/wire/index.ts';
import { SHARED_STREAM_CODE } from '../../kernel/wire/shared/capsule.ts';
import { encodeCapsule } from '../wire/shared-rig.ts';
import { MUTATIONS, attack } from '../../kernel/testing/mutations.ts';
import { recordingLog } from '../rig/recording-log.ts';
import type { FakeConnection } from '../wire/pair.ts';
import { connectionPair, testPeer } from '../wire/pair.ts';
import { ask, ping, settle } from '../wire/rig.ts';
import { openHostile } from './hostile-peer.ts';
import { samples } from './samples.ts';

const FRAMES = 300_000;
const QUIC_FRAMES = 5_000;
const BATCH = 250;
/** `FUZZ_SEED=… npm test -- fuzz` repeats a run. */
const SEED = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  // What a first pass only marks for finalisation (aborted signals, buffers) goes with the next.
  for (let pass = 0; pass < 3; pass++) {
    collectGarbage();
    await settle();
  }
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

/** What a hostile peer may write on a shared stream: a few capsules of any kind around these bytes, cut off somewhere or not. */
function onSharedStream(bytes: Uint8Array, random: Random): Uint8Array {
  const capsules = Array.from({ length: 1 + random.integer(4) }, () =>
    encodeCapsule(random.float() < 0.7 ? 1 : random.integer(7), random.integer(5), bytes),
  );
  const whole = Buffer.concat([Uint8Array.of(SHARED_STREAM_CODE), ...capsules]);
  return random.float() < 0.7 ? whole : whole.subarray(0, 1 + random.integer(whole.length));
}

/** Handlers that check by TypeBox's interpreter, not by the compiled code under test, what they are given. */
function checkingHandlers(all: Awaited<ReturnType<typeof samples>>) {
  const seen = { calls: 0, invalid: [] as string[] };
  const entries = all.map(({ message }) => {
    const handler: MessageHandler = (body, call) => {
      seen.calls++;
      if (!Value.Check(message.body, body)) seen.invalid.push(`${message.name} ${JSON.stringify(body)}`);
      // Now and then one that takes a while, and one that fails.
      if (seen.calls % 50 === 0) return new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      if (seen.calls % 77 === 0) throw new Error('handler fails');
      return undefined;
    };
    return { message, handler };
  });
  return { seen, entries };
}

test(`${FRAMES} mutated frames: the node lives, other peers are served, everything is counted`, async (t) => {
  t.timeout(120_000);
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const all = await samples();
  t.true(all.length >= 8);
  const clock = new VirtualClock();
  const counters = createCounters().of('wire');
  const log = recordingLog();
  const dispatcher = createDispatcher({ clock, counters, log });
  const client = createDispatcher({ clock, counters: createCounters().of('client'), log });
  const { seen, entries } = checkingHandlers(all);
  const honestAsk = entries.some(({ message }) => message.code === ask.code) ? ping : ask;
  const install = () => dispatcher.router.install('fuzzed', entries);
  install();
  dispatcher.router.install('honest', [{ message: honestAsk, handler: (body) => body }]);

  const self = testPeer('5');
  let peers = 0;
  const join = (chunkBytes?: number): FakeConnection => {
    const id = (++peers).toString(16).padStart(64, '0');
    const options = chunkBytes === undefined ? { wipe: true } : { chunkBytes };
    const [near, far] = connectionPair({ nodeId: id as NodeId, deviceId: id as DeviceId }, self, options);
    dispatcher.attach(far);
    far.onClose = () => dispatcher.detach(far);
    return near;
  };
  const friend = join();
  client.attach(friend).features = new Set([SHARED_STREAMS]);
  let hostile = join();
  const sent: Record<string, number> = {};
  let sharedStreams = 0;
  let warmBytes = 0;

  for (let frame = 0; frame < FRAMES; frame++) {
    if (hostile.closed !== undefined) hostile = join(random.float() < 0.3 ? 1 + random.integer(40) : undefined);
    const { name, bytes, fin } = attack(all, random);
    sent[name] = (sent[name] ?? 0) + 1;
    const kind = random.float();
    const stream = kind < 0.65 ? hostile.openBi() : hostile.openUni();
    if (kind < 0.3) sharedStreams++;
    stream.write(kind < 0.3 ? onSharedStream(bytes, random) : bytes, fin);
    if (!fin && random.float() < 0.3) stream.abort(random.integer(100));
    if (random.float() < 0.001) hostile.close(0, 'done');
    if (frame % BATCH !== 0) continue;
    // Now and then in the middle of a swap.
    const swap = frame % (BATCH * 8) === 0;
    if (swap) dispatcher.router.hold('fuzzed');
    await clock.advance(200);
    if (swap) {
      install();
      dispatcher.router.release('fuzzed');
    }
    t.deepEqual(await client.send(friend, honestAsk, { n: frame }), { n: frame });
    log.entries.length = 0;
    if (frame === BATCH * 200) warmBytes = await heapBytes();
  }

  // Everything that was left open comes to its deadline.
  hostile.close(0, 'done');
  await clock.advance(60_000);
  t.deepEqual(seen.invalid.slice(0, 3), []);
  t.true(seen.calls > FRAMES / 200, `${seen.calls} frames were valid`);
  t.is(({} as { polluted?: unknown }).polluted, undefined);
  t.deepEqual(Object.keys(sent).sort(), Object.keys(MUTATIONS).sort());
  t.is(dispatcher.router.inspect('fuzzed').held, 0);
  const read = counters.read();
  const named = ['utf8', 'json', 'depth', 'schema', 'truncated', 'wrong-stream', 'no-object', 'envelope'].map(
    (name) => `malformed:${name}`,
  );
  for (const counter of [
    ...named,
    'malformed',
    'too-large',
    'unsupported',
    'rate-limited',
    'ignored-bytes',
    'closed-for-misbehaviour',
    'malformed:capsule',
    'too-many-shared-streams',
  ]) {
    t.true((read[counter] ?? 0) > 0, `counter ${counter}`);
  }
  t.true(Object.keys(read).length < 300, 'no counter is made from input');
  const grownBytes = (await heapBytes()) - warmBytes;
  t.true(grownBytes < 12_000_000, `grew by ${grownBytes} bytes`);
  t.log(`${sharedStreams} shared streams, ${seen.calls} handled, ${peers} peers`);
  t.log(`${read['closed-for-misbehaviour']} closed, heap ${grownBytes} bytes`);
  dispatcher.close();
  client.close();
});

test(`${QUIC_FRAMES} mutated frames over QUIC`, async (t) => {
  t.timeout(120_000);
  t.log(`seed ${SEED}`);
  const random = seededRandom(`${SEED}/quic`);
  const all = await samples();
  const node = await openStack();
  t.teardown(() => closeStack(node));
  const friend = await openStack();
  t.teardown(() => closeStack(friend));
  const { seen, entries } = checkingHandlers(all);
  const honestAsk = entries.some(({ message }) => message.code === ask.code) ? ping : ask;
  node.dispatcher.router.install('fuzzed', entries);
  node.dispatcher.router.install('honest', [{ message: honestAsk, handler: (body) => body }]);
  const target = { nodeId: node.network.self.nodeId, addresses: [`127.0.0.1:${node.network.port}`] };
  await friend.network.dial(target);

  let hostile = await openHostile(target);
  t.teardown(() => hostile.close());
  let peers = 1;
  for (let frame = 0; frame < QUIC_FRAMES; frame++) {
    if (hostile.connection.closed !== undefined) {
      await hostile.close();
      hostile = await openHostile(target);
      peers++;
    }
    const { bytes: plain, fin } = attack(all, random);
    const bytes = random.float() < 0.3 ? onSharedStream(plain, random) : plain;
    try {
      const opened = random.float() < 0.5 ? hostile.connection.openBi() : hostile.connection.openUni();
      // Opens wait while the peer's stream limit is reached; a hostile peer does not.
      if (!(opened instanceof Promise)) {
        opened.write(bytes, fin);
        if (!fin) opened.abort(1);
      } else {
        opened.then((stream) => stream.abort(1)).catch(() => {});
        await settle();
      }
    } catch {
      await settle();
    }
    if (frame % 50 !== 0) continue;
    t.deepEqual(await friend.network.sendTo(target.nodeId, honestAsk, { n: frame }), { n: frame });
  }
  await hostile.close();
  t.deepEqual(await friend.network.sendTo(target.nodeId, honestAsk, { n: 1 }), { n: 1 });
  t.deepEqual(seen.invalid.slice(0, 3), []);
  t.true(seen.calls > 0);
  const read = node.counters();
  for (const counter of ['malformed', 'too-large', 'unsupported'])
    t.true((read[counter] ?? 0) > 0, `counter ${counter}`);
  t.log(`${seen.calls} handled, ${peers} peers, ${read['closed-for-misbehaviour'] ?? 0} closed for misbehaviour`);
});
