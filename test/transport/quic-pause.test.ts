import test from 'ava';
import type { IncomingStream } from '../../kernel/transport/transport.ts';
import { connect, quicRig, until } from '../contract/transport-rig.ts';

/** More than the stream's window of 16.5 MiB. */
const BYTES = 24 * 1024 * 1024;
/** Well below the keep-alive of 10 s, whose packets would hide a lost window update. */
const LIMIT_MS = 5_000;

test('what is read of a paused stream reaches a sender who waits for nothing else', async (t) => {
  const rig = quicRig();
  const [a, b] = [await rig.node(), await rig.node()];
  t.teardown(() => Promise.all([a.endpoint.close(), b.endpoint.close()]));
  const connection = await connect(a, b);
  let paused: IncomingStream | undefined;
  let received = 0;
  let isWhole = false;
  b.onStream = (stream) => {
    stream.onData = (chunk, fin) => {
      if (paused !== undefined && stream !== paused) {
        // At the end of the turn that reads: the paused stream is read in the next one, in which no packet comes.
        void Promise.resolve().then(() => paused?.resume());
        return;
      }
      received += chunk.length;
      if (fin) isWhole = true;
      if (paused === undefined) stream.pause();
      paused = stream;
    };
  };
  const stream = await connection.openUni();
  stream.write(Buffer.alloc(BYTES), true);
  await until(() => stream.pendingBytes > 0 && stream.pendingBytes < BYTES / 2);
  // Until everything that was sent is acknowledged, so that nothing else is under way.
  let bytesIn = -1;
  while (bytesIn !== connection.stats().bytesIn) {
    bytesIn = connection.stats().bytesIn;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const wake = await connection.openUni();
  wake.write(Buffer.from('go'), true);
  await t.notThrowsAsync(until(() => isWhole, LIMIT_MS));
  t.is(received, BYTES);
});
