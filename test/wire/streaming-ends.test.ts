import type { IncomingCall } from '../../kernel/index.ts';
import { EMPTY_CHUNKS_MAX, withBytes } from '../../kernel/index.ts';
import { memoryRig, quicRig, until } from '../contract/transport-rig.ts';
import type { TransportRig } from '../contract/transport-rig.ts';
import {
  IDLE_MS,
  KB,
  MB,
  RAW_MAX_BYTES,
  fetchAll,
  hostileTest,
  never,
  rawAnswer,
  rawTest,
  readAll,
  source,
} from './raw-rig.ts';
import type { RawRig } from './raw-rig.ts';

/** Raw bytes behind a response that end before their time: by a deadline, by either side, by a swap. */

const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));

/** Advances the deadlines' clock a little at a time, while the transport runs on real time. */
async function passTime(rig: RawRig, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await rig.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function suite(transport: TransportRig): void {
  const raw = rawTest(transport);
  const hostile = hostileTest(transport);

  // ── time ─────────────────────────────────────────────────────────────────────────────────────

  hostile(
    'bytes that trickle are given up, though they never stop',
    (stream) => {
      stream.write(rawAnswer(MB), false);
      const drip = setInterval(() => stream.write(Buffer.alloc(1), false), 1);
      stream.onAbort = () => clearInterval(drip);
    },
    async (t, rig) => {
      const { bytes } = await rig.ask();
      const reading = t.throwsAsync(readAll(bytes), { code: 'wire/deadline' });
      await until(() => (rig.client.counters()['raw-bytes-in'] ?? 0) > 20);
      await passTime(rig, IDLE_MS + 100);
      await reading;
      rig.client.connection.close(0, 'done');
    },
  );

  raw('a source that stops is given up on both sides', async (t, rig) => {
    let signal: AbortSignal | undefined;
    const { bytes } = source(2, KB, (index) => (index === 1 ? never() : undefined));
    rig.serve((body, call) => {
      signal = call.signal;
      return withBytes(body as object, 2 * KB, bytes);
    });
    const reading = t.throwsAsync(readAll((await rig.ask()).bytes));
    await until(() => rig.client.counters()['raw-bytes-in'] === KB);
    await passTime(rig, IDLE_MS + 100);
    t.regex(String(((await reading) as { code?: string } | undefined)?.code), /^wire\/(deadline|raw-aborted)$/);
    await until(() => rig.server.dispatcher.router.inspect('p').running === 0);
    t.true(signal?.aborted);
  });

  raw('a source of nothing but empty chunks kept the event loop to itself', async (t, rig) => {
    let taken = 0;
    async function* nothing() {
      for (; taken < 100_000; taken++) yield new Uint8Array(0);
    }
    rig.serve((body) => withBytes(body as object, 2 * KB, nothing()));
    await t.throwsAsync(async () => readAll((await rig.ask()).bytes), { code: 'wire/raw-aborted' });
    await until(() => rig.server.dispatcher.router.inspect('p').running === 0);
    t.true(taken <= EMPTY_CHUNKS_MAX + 1, `${taken} chunks`);
  });

  raw('a reader that stops is given up on both sides', async (t, rig) => {
    const { state, bytes } = source(RAW_MAX_BYTES / MB, MB);
    rig.serve((body) => withBytes(body as object, RAW_MAX_BYTES, bytes));
    const answer = await rig.ask();
    await until(() => state.taken > MB);
    await passTime(rig, 2 * IDLE_MS);
    await until(() => state.ended);
    await t.throwsAsync(readAll(answer.bytes));
  });

  raw('a reader that takes its time over bytes that are all here gets them', async (t, rig) => {
    const { bytes } = source(4, 64 * KB);
    rig.serve((body) => withBytes(body as object, 256 * KB, bytes));
    const answer = await rig.ask();
    await until(() => rig.client.counters()['raw-bytes-in'] === 256 * KB);
    let read = 0;
    for await (const chunk of answer.bytes ?? []) {
      read += chunk.length;
      await passTime(rig, IDLE_MS - 500);
    }
    t.is(read, 256 * KB);
  });

  raw('bytes that keep coming outlast the deadline of the message', async (t, rig) => {
    let release = (): void => {};
    const { bytes } = source(
      20,
      16 * KB,
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    rig.serve((body) => withBytes(body as object, 320 * KB, bytes));
    const answer = await rig.ask();
    const reading = readAll(answer.bytes);
    for (let chunk = 1; chunk <= 20; chunk++) {
      release();
      await until(() => rig.client.counters()['raw-bytes-in'] === chunk * 16 * KB);
      await passTime(rig, IDLE_MS - 500);
    }
    release();
    t.is((await reading).length, 320 * KB, 'after 30 s, where the message has 10 s');
  });

  // ── given up ─────────────────────────────────────────────────────────────────────────────────

  raw('a source that throws is an error at the reader, who may try again', async (t, rig) => {
    const { bytes } = source(3, KB, (index) => (index === 2 ? Promise.reject(new Error('disk')) : undefined));
    rig.serve((body) => withBytes(body as object, 3 * KB, bytes));
    const error = await t.throwsAsync(fetchAll(rig), { code: 'wire/raw-aborted' });
    t.like(error, { retryable: true });
    t.deepEqual(rig.server.log.events(), ['raw-failed']);
  });

  for (const how of ['leaves the loop', 'aborts its signal', 'cancels'] as const) {
    raw(`a reader that ${how} stops the source`, async (t, rig) => {
      let call: IncomingCall | undefined;
      const { state, bytes } = source(RAW_MAX_BYTES / MB, MB);
      rig.serve((body, incoming) => {
        call = incoming;
        void call.signal;
        return withBytes(body as object, RAW_MAX_BYTES, bytes);
      });
      const controller = new AbortController();
      const answer = await rig.ask({ signal: controller.signal });
      let chunks = 0;
      const read = async (): Promise<void> => {
        for await (const _chunk of answer.bytes ?? []) {
          if (++chunks < 3) continue;
          if (how === 'leaves the loop') break;
          if (how === 'cancels') answer.bytes?.cancel();
          else controller.abort(new Error('enough'));
        }
      };
      if (how === 'aborts its signal') await t.throwsAsync(read(), { message: 'enough' });
      else await read();
      t.is(chunks, 3);
      await until(() => state.ended);
      t.true(call?.signal.aborted);
      t.true(state.taken < RAW_MAX_BYTES);
      await until(() => rig.server.dispatcher.router.inspect('p').running === 0);
      t.deepEqual(rig.server.log.events(), [], 'nobody failed');
      rig.serve((body) => body);
      t.deepEqual(await rig.ask(), { id: 'a' }, 'the connection goes on');
    });
  }

  raw('the end of the connection is an error on both sides', async (t, rig) => {
    let signal: AbortSignal | undefined;
    const { bytes } = source(3, KB, (index) => (index === 1 ? aborted(signal) : undefined));
    rig.serve((body, call) => {
      signal = call.signal;
      return withBytes(body as object, 3 * KB, bytes);
    });
    const reading = t.throwsAsync(readAll((await rig.ask()).bytes), { code: 'wire/connection-closed' });
    await until(() => rig.client.counters()['raw-bytes-in'] === KB);
    rig.client.connection.close(0, 'done');
    await reading;
    await until(() => signal?.aborted === true);
    t.is(rig.server.dispatcher.router.inspect('p').running, 0);
  });

  // ── swaps ────────────────────────────────────────────────────────────────────────────────────

  raw('a swap lets bytes under way come to their end', async (t, rig) => {
    let release = (): void => {};
    const { bytes } = source(2, KB, (index) =>
      index === 1
        ? new Promise<void>((resolve) => {
            release = resolve;
          })
        : undefined,
    );
    rig.serve((body) => withBytes(body as object, 2 * KB, bytes));
    const answer = await rig.ask();
    await until(() => rig.client.counters()['raw-bytes-in'] === KB);
    const { router } = rig.server.dispatcher;
    router.hold('p');
    const drained = router.drain('p', 1_000);
    release();
    t.is(await drained, 0);
    router.release('p');
    t.is((await readAll(answer.bytes)).length, 2 * KB);
  });

  raw('a swap gives up on bytes that take longer than its drain, and the reader may try again', async (t, rig) => {
    let signal: AbortSignal | undefined;
    const { state, bytes } = source(2, KB, (index) => (index === 1 ? aborted(signal) : undefined));
    rig.serve((body, call) => {
      signal = call.signal;
      return withBytes(body as object, 2 * KB, bytes);
    });
    const answer = await rig.ask();
    const reading = t.throwsAsync(readAll(answer.bytes), { code: 'wire/interrupted' });
    await until(() => rig.client.counters()['raw-bytes-in'] === KB);
    const { router } = rig.server.dispatcher;
    router.hold('p');
    const drained = router.drain('p', 1_000);
    await rig.clock.advance(1_000);
    t.is(await drained, 1);
    t.like(await reading, { retryable: true });
    rig.serve((body) => withBytes(body as object, 3, [Buffer.from('new')]));
    router.release('p');
    t.is(String(await readAll((await rig.ask()).bytes)), 'new');
    await until(() => state.ended);
  });

  raw('a handler that a swap gave up on answers without its bytes', async (t, rig) => {
    const { state, bytes } = source(2, KB);
    let answer = (): void => {};
    rig.serve(
      (body) =>
        new Promise((resolve) => {
          answer = () => resolve(withBytes(body as object, 2 * KB, bytes));
        }),
    );
    const asked = t.throwsAsync(rig.ask(), { code: 'wire/interrupted' });
    const { router } = rig.server.dispatcher;
    await until(() => router.inspect('p').running === 1);
    router.hold('p');
    const drained = router.drain('p', 1_000);
    await rig.clock.advance(1_000);
    t.is(await drained, 1);
    answer();
    await asked;
    t.is(state.taken, 0);
    t.is(router.inspect('p').running, 0);
  });
}

suite(memoryRig());
suite(quicRig());
