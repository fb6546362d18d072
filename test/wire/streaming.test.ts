import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Type, defineRequest, withBytes } from '../../kernel/index.ts';
import type { IncomingCall } from '../../kernel/index.ts';
import type { IncomingStream } from '../../kernel/transport/transport.ts';
import { memoryRig, pattern, quicRig, until } from '../contract/transport-rig.ts';
import type { TransportRig } from '../contract/transport-rig.ts';
import { RAW_MAX_BYTES, IDLE_MS, fetchFile, rawAnswer, rawRig, readAll } from './raw-rig.ts';
import type { RawRig, RawRigOptions } from './raw-rig.ts';
import { wireRig } from './rig.ts';

const KB = 1024;
const MB = 1024 * KB;

/** A source of many chunks that says how far it was read and whether it was told of its end. */
function source(chunks: number, chunkBytes: number, pause?: (index: number) => Promise<unknown> | undefined) {
  const state = { taken: 0, ended: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < chunks; index++) {
        await pause?.(index);
        state.taken += chunkBytes;
        yield new Uint8Array(chunkBytes).fill(index);
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, bytes: generate() };
}

const never = () => new Promise<never>(() => {});
const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
/** The request and its bytes in one: where they are given up, that may overtake the answer. */
const fetchAll = async (rig: RawRig) => readAll((await rig.ask()).bytes);

/** Advances the deadlines' clock a little at a time, while the transport runs on real time. */
async function passTime(rig: RawRig, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await rig.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function suite(transport: TransportRig): void {
  const raw = (title: string, body: (t: ExecutionContext, rig: RawRig) => Promise<void>, options?: RawRigOptions) =>
    test(`${transport.name}: ${title}`, async (t) => body(t, await rawRig(t, transport, options)));

  /** The client against a server that writes whatever it likes once it has the request. */
  const hostile = (
    title: string,
    write: (stream: IncomingStream) => void,
    body: (t: ExecutionContext, rig: RawRig) => Promise<void>,
    options: RawRigOptions = {},
  ) =>
    raw(title, body, {
      ...options,
      hostile: (stream) => {
        stream.onData = () => {
          stream.onData = () => {};
          write(stream as IncomingStream);
        };
      },
    });

  raw('raw bytes follow the answer, all of them and in order', async (t, rig) => {
    const file = pattern(3 * MB);
    let takesBytes: boolean | undefined;
    rig.serve((body, call) => {
      takesBytes = call.takesBytes;
      return withBytes(body as object, file.length, [
        file.subarray(0, 5),
        file.subarray(5, 2 * MB),
        file.subarray(2 * MB),
      ]);
    });
    const { bytes, ...answer } = await rig.ask();
    t.deepEqual(answer, { id: 'a' }, 'the length on the wire is not part of the answer');
    t.is(bytes?.length, file.length);
    t.true((await readAll(bytes)).equals(file));
    t.true(takesBytes);
    t.is(rig.server.dispatcher.router.inspect('p').running, 0);
    await until(() => rig.server.counters()['raw-bytes-out'] === file.length);
  });

  raw('no bytes at all may be announced, and an answer may have none behind it', async (t, rig) => {
    rig.serve((body) => withBytes(body as object, 0, []));
    t.is((await readAll((await rig.ask()).bytes)).length, 0);
    rig.serve((body) => body);
    t.deepEqual(await rig.ask(), { id: 'a' });
    t.is(rig.client.counters()['ignored-bytes'], undefined);
  });

  raw('a source is not read ahead of a reader that does not read', async (t, rig) => {
    const { state, bytes } = source(RAW_MAX_BYTES / MB, MB);
    rig.serve((body) => withBytes(body as object, RAW_MAX_BYTES, bytes));
    const answer = await rig.ask();
    let before = -1;
    while (before !== state.taken) {
      before = state.taken;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    t.true(state.taken < RAW_MAX_BYTES / 2, `${state.taken / MB} MB were taken`);
    t.is((await readAll(answer.bytes)).length, RAW_MAX_BYTES, 'and goes on when it does');
  });

  raw(
    'a body keeps its place in the handler, so that a peer cannot have more of them than its budget says',
    async (t, rig) => {
      let calls = 0;
      rig.serve((body) => {
        calls++;
        return withBytes(
          body as object,
          4,
          source(2, 2, (index) => (index === 1 && calls < 3 ? never() : undefined)).bytes,
        );
      });
      const [first, second] = [await rig.ask(), await rig.ask()];
      const third = rig.ask();
      await until(() => rig.server.counters()['frames-in'] === 3);
      t.is(calls, 2, 'two at the same time, says the message');
      first.bytes?.cancel();
      t.is((await readAll((await third).bytes)).length, 4);
      second.bytes?.cancel();
      await until(() => rig.server.dispatcher.router.inspect('p').running === 0);
    },
  );

  // ── lengths ──────────────────────────────────────────────────────────────────────────────────

  for (const [what, chunks] of [
    ['shorter', 1],
    ['longer', 3],
  ] as const) {
    raw(`a source that is ${what} than it said is given up, and never more is sent than was said`, async (t, rig) => {
      const { state, bytes } = source(chunks, KB);
      rig.serve((body) => withBytes(body as object, 2 * KB, bytes));
      await t.throwsAsync(fetchAll(rig), { code: 'wire/raw-aborted' });
      t.deepEqual(rig.server.log.events(), ['raw-failed']);
      t.true((rig.server.counters()['raw-bytes-out'] ?? 0) <= 2 * KB);
      t.true(state.ended);
    });
  }

  raw('a source may not announce more than the message allows', async (t, rig) => {
    const { state, bytes } = source(1, 1);
    rig.serve((body) => withBytes(body as object, RAW_MAX_BYTES + 1, bytes));
    await t.throwsAsync(rig.ask(), { code: 'wire/refused' });
    t.deepEqual(rig.server.log.events(), ['bad-answer']);
    t.is(state.taken, 0);
  });

  hostile(
    'fewer bytes than announced are an error',
    (stream) => {
      stream.write(rawAnswer(10), false);
      stream.write(Buffer.alloc(9), true);
    },
    async (t, rig) => {
      await t.throwsAsync(readAll((await rig.ask()).bytes), { code: 'wire/raw-truncated' });
      t.is(rig.client.counters()['bad-response:acme/file@1'], 1);
    },
  );

  hostile(
    'more bytes than announced are an error, even when they come after the last',
    (stream) => {
      stream.write(Buffer.concat([rawAnswer(10), Buffer.alloc(10)]), false);
      setTimeout(() => stream.write(Buffer.alloc(1), false), 20);
    },
    async (t, rig) => {
      const { bytes } = await rig.ask();
      await t.throwsAsync(readAll(bytes), { code: 'wire/raw-too-long' });
      t.is(rig.client.counters()['bad-response:acme/file@1'], 1);
    },
  );

  for (const length of [RAW_MAX_BYTES + 1, -1, 1.5, '10', null, 1e300]) {
    hostile(
      `an announced length of ${JSON.stringify(length)} is refused before any byte is read`,
      (stream) => stream.write(Buffer.concat([rawAnswer(length), Buffer.alloc(10)]), false),
      async (t, rig) => {
        await t.throwsAsync(rig.ask(), { code: 'wire/bad-response' });
        t.is(rig.client.counters()['raw-bytes-in'], undefined);
      },
    );
  }

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

  raw('a reader that stops is given up on both sides', async (t, rig) => {
    const { state, bytes } = source(RAW_MAX_BYTES / MB, MB);
    rig.serve((body) => withBytes(body as object, RAW_MAX_BYTES, bytes));
    const answer = await rig.ask();
    await until(() => state.taken > MB);
    await passTime(rig, 2 * IDLE_MS);
    await until(() => state.ended);
    await t.throwsAsync(readAll(answer.bytes));
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

  // ── without the feature ──────────────────────────────────────────────────────────────────────

  raw(
    'a peer that has not offered raw-blob gets the answer alone, and no byte behind it whatever the handler does',
    async (t, rig) => {
      const { state, bytes } = source(1, 1);
      rig.serve((body, call) => (call.takesBytes ? withBytes(body as object, 1, bytes) : body));
      t.deepEqual(await rig.ask(), { id: 'a' });
      rig.serve((body) => withBytes(body as object, 1, bytes));
      await t.throwsAsync(rig.ask(), { code: 'wire/unsupported' });
      t.is(rig.server.counters()['raw-bytes-out'], undefined);
      t.is(state.taken, 0);
    },
    { offered: { toServer: false } },
  );

  hostile(
    'bytes of a peer that has not offered raw-blob are an error before any is read',
    (stream) => stream.write(Buffer.concat([rawAnswer(4), Buffer.alloc(4)]), true),
    async (t, rig) => {
      const error = await t.throwsAsync(rig.ask(), { code: 'wire/raw-not-offered' });
      t.like(error, { retryable: true });
      t.is(rig.client.counters()['raw-bytes-in'], undefined);
    },
    { offered: { toClient: false } },
  );
}

suite(memoryRig());
suite(quicRig());

test('a message with raw bytes is checked before it is served', (t) => {
  const { server } = wireRig();
  const message = (raw: { maxBytes: number; idleMs?: number }, fields = {}) =>
    defineRequest({ ...fetchFile, response: { body: Type.Object(fields), maxBytes: 64, raw } });
  const { router } = server.dispatcher;
  t.notThrows(() => router.check('p', [message({ maxBytes: 1 })]));
  for (const bad of [
    message({ maxBytes: 0 }),
    message({ maxBytes: 1.5 }),
    message({ maxBytes: 1, idleMs: 0 }),
    message({ maxBytes: 1 }, { bytes: Type.Integer() }),
    message({ maxBytes: 1 }, { raw_bytes: Type.Integer() }),
  ]) {
    t.throws(() => router.check('p', [bad]), { code: 'wire/not-in-catalogue' });
  }
});
