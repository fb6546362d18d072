import test from 'ava';
import { Type, defineRequest, withBytes } from '../../kernel/index.ts';
import { memoryRig, pattern, quicRig, until } from '../contract/transport-rig.ts';
import type { TransportRig } from '../contract/transport-rig.ts';
import {
  KB,
  MB,
  RAW_MAX_BYTES,
  fetchAll,
  fetchFile,
  hostileTest,
  never,
  rawAnswer,
  rawTest,
  readAll,
  source,
} from './raw-rig.ts';
import { wireRig } from './rig.ts';

/** Raw bytes behind a response: what comes, how much of it, and to whom. How they end otherwise: streaming-ends.test.ts. */

function suite(transport: TransportRig): void {
  const raw = rawTest(transport);
  const hostile = hostileTest(transport);

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

  for (const [what, wrong] of [
    ['no bytes', ['text']],
    ['no iterable', 7],
    [
      'a getter that throws',
      {
        get [Symbol.iterator]() {
          throw new Error('no');
        },
      },
    ],
  ] as const) {
    raw(`a source of ${what} is given up`, async (t, rig) => {
      rig.serve((body) => withBytes(body as object, 4, wrong as never));
      await t.throwsAsync(fetchAll(rig), { code: 'wire/raw-aborted' });
      t.deepEqual(rig.server.log.events(), ['raw-failed']);
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
