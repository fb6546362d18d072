import { randomBytes } from 'node:crypto';
import { systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { makeCredentials } from '../../kernel/identity/certificate.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { quicTransport } from '../../kernel/transport/index.ts';
import type { Connection, Endpoint, Stream } from '../../kernel/transport/transport.ts';
import { parallelRate, serialRate } from '../wire/echo.ts';
import type { Subject } from './subject.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const CHUNK_BYTES = 256 * 1024;

/** Two endpoints of the QUIC driver in this process, nothing above it. */
export async function rawDriver(): Promise<Subject> {
  const open = (onConnection: (connection: Connection) => void): Promise<Endpoint> =>
    quicTransport({
      clock: systemClock(),
      random: systemRandom(),
      log: SILENT,
      counters: createCounters().of('transport'),
    }).open({
      bind: { host: '127.0.0.1', port: 0, family: 4 },
      credentials: makeCredentials(randomBytes(32), randomBytes(32)),
      onConnection,
    });
  let arrived: (bytes: number) => void = () => {};
  const there = await open((connection) => {
    connection.onStream = (stream) => {
      if (stream.kind === 'bi') echo(stream);
      else count(stream, (bytes) => arrived(bytes));
    };
  });
  const here = await open(() => {});
  const connection = await here.dial({ addresses: [{ host: '127.0.0.1', port: there.port, family: 4 }] });
  return {
    name: 'raw driver',
    async bulk(bytes) {
      const done = new Promise<number>((resolve) => {
        arrived = resolve;
      });
      const stream = await connection.openUni();
      const chunk = Buffer.alloc(CHUNK_BYTES, 7);
      for (let sent = 0; sent < bytes; sent += chunk.length) {
        await stream.writable();
        stream.write(chunk, sent + chunk.length >= bytes);
      }
      await done;
    },
    serial: (request, ms) => serialRate(() => exchange(connection, request), ms),
    parallel: (request, width, ms) => parallelRate(() => exchange(connection, request), width, ms),
    async close() {
      await here.close();
      await there.close();
    },
  };
}

/** One request of few bytes and its answer, each on its half of a fresh stream. */
async function exchange(connection: Connection, request: Uint8Array): Promise<void> {
  const opened = connection.openBi();
  const stream = opened instanceof Promise ? await opened : opened;
  await new Promise<void>((resolve, reject) => {
    stream.onData = (_chunk, fin) => {
      if (fin) resolve();
    };
    stream.onAbort = reject;
    stream.write(request, true);
  });
}

function echo(stream: Stream): void {
  stream.onData = (chunk, fin) => stream.write(chunk.slice(), fin);
}

function count(stream: Stream, done: (bytes: number) => void): void {
  let bytes = 0;
  stream.onData = (chunk, fin) => {
    bytes += chunk.length;
    if (fin) done(bytes);
  };
}
