import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import test from 'ava';
import { findSocketPath } from '../../kernel/control/socket-path.ts';
import { connectControl } from '../../kernel/control/socket-client.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const SILENCE_MAX_MS = 300;

/** A node whose lines are answered by `answer`. */
async function node(t: Parameters<typeof temporaryDirectory>[0], answer: (line: string, socket: Socket) => void) {
  const dir = temporaryDirectory(t);
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().trim().split('\n')) answer(line, socket);
    });
    socket.on('error', () => {});
  });
  t.teardown(() => server.close());
  server.listen(findSocketPath(dir));
  await once(server, 'listening');
  return connectControl(dir, { silenceMaxMs: SILENCE_MAX_MS });
}

test('a command waited for ever for a node whose event loop is held', async (t) => {
  const asked: string[] = [];
  const client = await node(t, (line) => void asked.push((JSON.parse(line) as { method: string }).method));
  await t.throwsAsync(client.call('feed.list'), { code: 'control/no-answer' });
  t.deepEqual(asked, ['feed.list', 'rpc.ping']);
});

test('a node that takes long over a command and answers meanwhile is waited for', async (t) => {
  let pings = 0;
  const client = await node(t, (line, socket) => {
    const { id, method } = JSON.parse(line) as { id: number; method: string };
    if (method === 'rpc.ping' && ++pings === 3) socket.write('{"jsonrpc":"2.0","id":1,"result":"at last"}\n');
    // A node of before does not know the ping, and says so.
    if (method === 'rpc.ping') {
      socket.write(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"unknown","data":{"code":"x/y"}}}\n`);
    }
  });
  t.is(await client.call('worm.search'), 'at last');
  client.close();
});
