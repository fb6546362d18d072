import { CLOSE_CODES } from '../../kernel/sdk/network.ts';
import type { Connection, IncomingStream, Stream } from '../../kernel/transport/transport.ts';
import {
  aborted,
  closed,
  collect,
  connect,
  onceCollected,
  pairTest,
  pattern,
  type TransportRig,
  until,
} from './transport-rig.ts';

const MIB = 1024 * 1024;

/** What every Transport promises, run against each of them. */
export function transportContract(rig: TransportRig): void {
  const check = pairTest(rig);

  check('a connection carries both identities to both ends', async (t, a, b) => {
    const connection = await connect(a, b);
    await until(() => b.connections.length === 1);
    t.deepEqual(connection.peer, b.credentials.self);
    t.deepEqual(b.connections[0]?.peer, a.credentials.self);
    t.is(connection.direction, 'outbound');
    t.is(b.connections[0]?.direction, 'inbound');
    t.is(connection.remote.port, b.endpoint.port);
    t.deepEqual([...a.endpoint.connections()], [connection]);
    t.true(connection.openedAtMs > 0);
  });

  check('a bi-stream carries a request and its answer, each half ending on its own', async (t, a, b) => {
    b.onStream = (stream) => {
      t.is(stream.kind, 'bi');
      onceCollected(stream, (request) => stream.write(Buffer.from(`echo ${request}`), true));
    };
    const stream = await (await connect(a, b)).openBi();
    const answer = collect(stream);
    stream.write(Buffer.from('hello '), false);
    stream.write(Buffer.from('world'), true);
    t.is(String(await answer), 'echo hello world');
  });

  check('a uni-stream carries bytes one way, also an empty one', async (t, a, b) => {
    const got: string[] = [];
    b.onStream = (stream) => {
      t.is(stream.kind, 'uni');
      onceCollected(stream, (bytes) => got.push(String(bytes)));
    };
    const connection = await connect(a, b);
    (await connection.openUni()).write(Buffer.from('one'), true);
    (await connection.openUni()).write(Buffer.alloc(0), true);
    await until(() => got.length === 2);
    t.deepEqual(got.sort(), ['', 'one']);
  });

  check('the listening side can open streams too, at once', async (t, a, b) => {
    const opening = connect(a, b);
    await until(() => b.connections.length === 1);
    const stream = await (b.connections[0] as Connection).openBi();
    const answer = collect(stream);
    a.onStream = (incoming) => {
      onceCollected(incoming, () => incoming.write(Buffer.from('dialler'), true));
    };
    stream.write(Buffer.from('listener'), true);
    t.is(String(await answer), 'dialler');
    await opening;
  });

  check('10 MB arrive whole and in order, in both directions at once', async (t, a, b) => {
    const sent = pattern(10 * MIB);
    b.onStream = (stream) => {
      onceCollected(stream, (bytes) => {
        t.true(bytes.equals(sent));
      });
      stream.write(Buffer.from(sent), true);
    };
    const stream = await (await connect(a, b)).openBi();
    const back = collect(stream);
    for (let at = 0; at < sent.length; at += 100_003) {
      await stream.writable();
      stream.write(sent.subarray(at, at + 100_003), at + 100_003 >= sent.length);
    }
    t.true((await back).equals(sent));
  });

  check('a paused reader pushes the writer back, and nothing is lost when it goes on', async (t, a, b) => {
    const sent = pattern(60 * MIB);
    let reader: Stream | undefined;
    let received = 0;
    let ended = false;
    b.onStream = (stream) => {
      reader = stream;
      stream.pause();
      stream.onData = (chunk, fin) => {
        if (!Buffer.from(chunk).equals(sent.subarray(received, received + chunk.length))) t.fail('bytes differ');
        received += chunk.length;
        ended = fin;
      };
    };
    const stream = await (await connect(a, b)).openUni();
    stream.write(sent, true);
    await until(() => reader !== undefined);
    let steady = -1;
    await until(() => {
      const still = steady === stream.pendingBytes;
      steady = stream.pendingBytes;
      return still;
    });
    t.true(stream.pendingBytes > 10 * MIB, `${stream.pendingBytes} bytes wait`);
    t.is(received, 0);
    let writable = false;
    void stream.writable().then(() => {
      writable = true;
    });
    reader?.resume();
    await until(() => ended);
    t.is(received, sent.length);
    await until(() => writable);
  });

  check('pausing inside onData stops further calls until resume', async (t, a, b) => {
    const seen: number[] = [];
    let reader: Stream | undefined;
    b.onStream = (stream) => {
      reader = stream;
      stream.onData = (chunk) => {
        seen.push(chunk.length);
        stream.pause();
      };
    };
    const stream = await (await connect(a, b)).openUni();
    for (let i = 0; i < 200; i++) stream.write(Buffer.alloc(5_000), i === 199);
    await until(() => seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.is(seen.length, 1);
    let total = 0;
    await until(() => {
      reader?.resume();
      total = seen.reduce((sum, length) => sum + length, 0);
      return total === 1_000_000;
    });
    t.is(total, 1_000_000);
  });

  check('the opener of a bi-stream can abort it, and the other side learns the code', async (t, a, b) => {
    const incoming = new Promise<IncomingStream>((resolve) => {
      b.onStream = resolve;
    });
    const connection = await connect(a, b);
    const stream = await connection.openBi();
    stream.write(Buffer.from('half'), false);
    const abort = aborted(await incoming);
    stream.onAbort = () => t.fail('told about its own abort');
    stream.abort(42);
    t.deepEqual(await abort, { by: 'peer', code: 42 });
    await t.throwsAsync(() => stream.writable(), { code: 'transport/stream-ended' });
  });

  check('the receiver of a bi-stream can abort it while bytes pour in', async (t, a, b) => {
    b.onStream = (stream) => {
      stream.onData = () => stream.abort(7);
    };
    const stream = await (await connect(a, b)).openBi();
    const abort = aborted(stream);
    stream.write(Buffer.alloc(20 * MIB), true);
    t.deepEqual(await abort, { by: 'peer', code: 7 });
  });

  check('the receiver of a uni-stream can stop it while bytes pour in', async (t, a, b) => {
    b.onStream = (stream) => {
      stream.onData = () => stream.abort(7);
    };
    const stream = await (await connect(a, b)).openUni();
    const abort = aborted(stream);
    stream.write(Buffer.alloc(40 * MIB), true);
    t.deepEqual(await abort, { by: 'peer', code: 7 });
  });

  check('aborts give the stream credit back: 2,000 aborted streams of each kind, then a good one', async (t, a, b) => {
    b.onStream = (stream) => {
      stream.onData = (chunk, fin) => {
        if (chunk[0] === 1) stream.abort(3);
        else if (fin) stream.write(Buffer.from('fine'), true);
      };
    };
    const connection = await connect(a, b);
    for (let i = 0; i < 1_000; i++) {
      const byOpener = await connection.openBi();
      byOpener.write(Buffer.from([0]), false);
      byOpener.abort(1);
      const byReceiver = await connection.openBi();
      byReceiver.write(Buffer.from([1]), false);
      const uni = await connection.openUni();
      uni.write(Buffer.from([1]), true);
      const unused = await connection.openUni();
      unused.abort(1);
    }
    const stream = await connection.openBi();
    const answer = collect(stream);
    stream.write(Buffer.from([0]), true);
    t.is(String(await answer), 'fine');
  });

  check('opens beyond the stream limit wait in order and all succeed', async (t, a, b) => {
    let busy = 0;
    let most = 0;
    b.onStream = (stream) => {
      most = Math.max(most, ++busy);
      onceCollected(stream, () => {
        busy--;
        stream.write(Buffer.from('ok'), true);
      });
    };
    const connection = await connect(a, b);
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 600 }, async (_, index) => {
        const stream = await connection.openBi();
        order.push(index);
        const answer = collect(stream);
        stream.write(Buffer.from('x'), true);
        await answer;
      }),
    );
    t.deepEqual(
      order,
      [...order].sort((x, y) => x - y),
    );
    t.true(most <= 128, `${most} at once`);
  });

  check('opens beyond the queue are refused, and a queued one can be called off', async (t, a, b) => {
    b.onStream = () => {};
    const connection = await connect(a, b);
    const held: Stream[] = [];
    for (let i = 0; i < 128; i++) {
      const stream = await connection.openBi();
      stream.write(Buffer.from('x'), false);
      held.push(stream);
    }
    const caller = new AbortController();
    const queued = Promise.resolve(connection.openBi(caller.signal));
    caller.abort(new Error('called off'));
    await t.throwsAsync(queued, { message: 'called off' });
    const waiting = Array.from({ length: 1_024 }, () => Promise.resolve(connection.openBi()));
    const refused = await Promise.resolve()
      .then(() => connection.openBi())
      .then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
    t.is(refused, 'transport/too-many-streams');
    connection.close(0, 'done');
    const ends = await Promise.allSettled(waiting);
    t.true(ends.every(({ status }) => status === 'rejected'));
  });

  check('a close carries its code and reason to the peer, and ends the streams', async (t, a, b) => {
    const incoming = new Promise<IncomingStream>((resolve) => {
      b.onStream = resolve;
    });
    const connection = await connect(a, b);
    const stream = await connection.openBi();
    stream.write(Buffer.from('x'), false);
    const far = await incoming;
    const nearAbort = aborted(stream);
    const farAbort = aborted(far);
    const theirs = closed(b.connections[0] as Connection);
    connection.close(CLOSE_CODES['user-request'], 'user-request');
    t.deepEqual(connection.closed, { byPeer: false, code: 8, reason: 'user-request' });
    t.deepEqual(await theirs, { byPeer: true, code: 8, reason: 'user-request' });
    t.deepEqual(await nearAbort, { by: 'connection', code: undefined });
    t.deepEqual(await farAbort, { by: 'connection', code: undefined });
    t.throws(() => connection.openBi(), { code: 'transport/closed' });
    t.deepEqual([...a.endpoint.connections()], []);
    t.deepEqual([...b.endpoint.connections()], []);
  });

  check('what was written before a close still arrives', async (t, a, b) => {
    const incoming = new Promise<Buffer>((resolve) => {
      b.onStream = (stream) => onceCollected(stream, resolve);
    });
    const connection = await connect(a, b);
    (await connection.openUni()).write(Buffer.from('last words'), true);
    connection.close(CLOSE_CODES.done, 'done');
    t.is(String(await incoming), 'last words');
  });

  check('what is appended arrives in order with what is written, and before a close', async (t, a, b) => {
    const incoming = new Promise<Buffer>((resolve) => {
      b.onStream = (stream) => onceCollected(stream, resolve);
    });
    const connection = await connect(a, b);
    const stream = await connection.openUni();
    stream.append(Buffer.from('one '));
    stream.append(Buffer.from('two '));
    t.is(stream.pendingBytes, 8);
    stream.write(Buffer.from('three '), false);
    stream.append(Buffer.from('four '));
    await new Promise((resolve) => setImmediate(resolve));
    stream.append(Buffer.from('five'));
    stream.write(Buffer.alloc(0), true);
    t.is(String(await incoming), 'one two three four five');
    const lastWords = new Promise<string>((resolve) => {
      b.onStream = (late) => {
        late.onData = (chunk) => resolve(String(chunk));
      };
    });
    (await connection.openUni()).append(Buffer.from('last words'));
    connection.close(CLOSE_CODES.done, 'done');
    t.is(await lastWords, 'last words');
  });

  check('what is appended in one turn leaves as one, and a writer that waits for it goes on', async (t, a, b) => {
    const chunks: number[] = [];
    let reader: Stream | undefined;
    b.onStream = (stream) => {
      reader = stream;
      stream.onData = (chunk) => void chunks.push(chunk.length);
    };
    const stream = await (await connect(a, b)).openBi();
    for (let at = 0; at < 100; at++) stream.append(Buffer.alloc(5, at));
    await until(() => chunks.length > 0);
    t.deepEqual(chunks, [500]);
    for (let at = 0; at < 300; at++) stream.append(Buffer.alloc(1_000));
    t.is(stream.pendingBytes, 300_000);
    await stream.writable();
    t.true(stream.pendingBytes < 256 * 1024);
    await until(() => chunks.reduce((sum, bytes) => sum + bytes) === 300_500);
    stream.append(Buffer.alloc(5));
    stream.abort(1);
    t.is(stream.pendingBytes, 0);
    await t.throwsAsync(stream.writable(), { code: 'transport/stream-ended' });
    t.truthy(reader);
  });

  check('closing the endpoint tells every peer', async (t, a, b) => {
    await connect(a, b);
    await until(() => b.connections.length === 1);
    const end = closed(b.connections[0] as Connection);
    await a.endpoint.close();
    t.deepEqual(await end, { byPeer: true, code: 1, reason: 'shutting-down' });
    await t.throwsAsync(connect(a, b), { code: 'transport/closed' });
  });

  check('a dial to another node than expected is refused on both sides', async (t, a, b) => {
    const other = await rig.node();
    t.teardown(() => other.endpoint.close());
    const dial = a.endpoint.dial({ addresses: [b.address()], expect: other.credentials.self.nodeId });
    await t.throwsAsync(dial, { code: 'transport/wrong-node' });
    t.is(b.connections.length, 0);
    t.deepEqual([...a.endpoint.connections()], []);
  });

  check('a node that dials itself is told so', async (t, a) => {
    await t.throwsAsync(connect(a, a), { code: 'transport/refused' });
  });

  check('addresses that do not answer are passed over', async (t, a, b) => {
    const connection = await a.endpoint.dial({
      addresses: [await rig.blackHole(), b.address()].slice(rig.name === 'memory' ? 1 : 0),
    });
    t.deepEqual(connection.peer, b.credentials.self);
  });
}
