import { createHmac, getRandomValues, randomBytes, timingSafeEqual } from 'node:crypto';
import Logger, { LogLevel } from '@matrixai/logger';
import { events, QUICClient, type QUICConnection, QUICServer, type QUICStream } from '@matrixai/quic';
import { makeCredentials } from '../../kernel/identity/certificate.ts';
import { parallelRate, serialRate } from '../wire/echo.ts';
import type { Subject } from './subject.ts';

const CHUNK_BYTES = 256 * 1024;

/** The JavaScript classes of `@matrixai/quic` over the same native engine, with their own defaults. */
export async function engineClasses(): Promise<Subject> {
  const logger = new Logger('bench', LogLevel.SILENT);
  const tls = (): { key: string; cert: string } => {
    const { deviceKeyPem, certificateChainPem } = makeCredentials(randomBytes(32), randomBytes(32));
    return { key: deviceKeyPem, cert: certificateChainPem };
  };
  const acceptAny = { verifyPeer: true, verifyCallback: async () => undefined };
  let arrived: (bytes: number) => void = () => {};
  const server = new QUICServer({
    crypto: {
      key: randomBytes(32).buffer as ArrayBuffer,
      ops: {
        sign: mac,
        verify: async (key, data, signature) =>
          timingSafeEqual(Buffer.from(await mac(key, data)), Buffer.from(signature)),
      },
    },
    config: { ...tls(), ...acceptAny },
    logger,
  });
  server.addEventListener(events.EventQUICServerConnection.name, (opened: unknown) => {
    const connection = (opened as events.EventQUICServerConnection).detail;
    connection.addEventListener(events.EventQUICConnectionStream.name, (event: unknown) => {
      void serve((event as events.EventQUICConnectionStream).detail, (bytes) => arrived(bytes));
    });
  });
  await server.start({ host: '127.0.0.1' });
  const client = await QUICClient.createQUICClient({
    host: '127.0.0.1',
    port: server.port,
    localHost: '127.0.0.1',
    crypto: { ops: { randomBytes: async (data: ArrayBuffer) => void getRandomValues(new Uint8Array(data)) } },
    config: { ...tls(), ...acceptAny },
    logger,
  });
  const { connection } = client;
  return {
    name: 'engine classes',
    async bulk(bytes) {
      const done = new Promise<number>((resolve) => {
        arrived = resolve;
      });
      const stream = connection.newStream('uni');
      const writer = stream.writable.getWriter();
      const chunk = Buffer.alloc(CHUNK_BYTES, 7);
      for (let sent = 0; sent < bytes; sent += chunk.length) await writer.write(chunk);
      await writer.close();
      await done;
    },
    serial: (request, ms) => serialRate(() => exchange(connection, request), ms),
    parallel: (request, width, ms) => parallelRate(() => exchange(connection, request), width, ms),
    async close() {
      await client.destroy({ force: true });
      await server.stop({ force: true });
    },
  };
}

async function exchange(connection: QUICConnection, request: Uint8Array): Promise<void> {
  const stream = connection.newStream('bidi');
  const writer = stream.writable.getWriter();
  const answer = drain(stream);
  await writer.write(request);
  await writer.close();
  await answer;
}

async function serve(stream: QUICStream, done: (bytes: number) => void): Promise<void> {
  if (stream.type === 'uni') {
    done(await drain(stream));
    return;
  }
  await stream.readable.pipeTo(stream.writable);
}

async function drain(stream: QUICStream): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream.readable) bytes += (chunk as Uint8Array).length;
  return bytes;
}

async function mac(key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> {
  const bytes = createHmac('sha256', Buffer.from(key)).update(Buffer.from(data)).digest();
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
