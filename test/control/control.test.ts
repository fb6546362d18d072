import { createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import test from 'ava';
import { controlErrors } from '../../kernel/control/errors.ts';
import { localClient } from '../../kernel/control/local-client.ts';
import { LINE_MAX_BYTES } from '../../kernel/control/protocol.ts';
import { connectControl } from '../../kernel/control/socket-client.ts';
import { defineTopic } from '../../kernel/sdk/topic.ts';
import { startFakeNode } from './fake-node.ts';

/** A client that sends whatever it is told. */
async function rawClient(path: string): Promise<{ socket: Socket; send(text: string): void; next(): Promise<never> }> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  const lines: AsyncIterator<string> = (createInterface({ input: socket }) as Interface)[Symbol.asyncIterator]();
  return {
    socket,
    send: (text) => void socket.write(text),
    async next() {
      const { value, done } = await lines.next();
      return (done ? { closed: true } : JSON.parse(value)) as never;
    },
  };
}

test('a command runs with defaults and progress, and its own error keeps code and hint', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const client = await connectControl(node.dataDir);
  const steps: unknown[] = [];
  const onProgress = (step: string, fraction?: number) => steps.push([step, fraction]);
  t.deepEqual(await client.call('greeting.say', { text: 'ho', times: 2 }, { onProgress }), { said: 'hoho' });
  t.deepEqual(steps, [
    ['saying', 0],
    ['saying', 0.5],
  ]);
  t.deepEqual(await client.run('greeting.say', { text: 'hi' }), { result: { said: 'hi' }, text: 'It said hi' });
  const error = await t.throwsAsync(client.call('greeting.say', { text: 'damn' }), { code: 'greeting/rude' });
  t.like(error, { message: 'One does not say damn', hint: 'Say hello' });
  client.close();
  t.is(await client.closed, undefined);
});

test('wrong params, commands and handlers are told apart', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const client = await connectControl(node.dataDir);
  const code = async (command: string, params: object) =>
    ((await t.throwsAsync(client.call(command, params))) as { code?: string }).code;
  t.is(await code('greeting.say', {}), 'command/bad-params');
  t.is(await code('greeting.say', { text: 'a', tex: 'b' }), 'command/bad-params');
  t.is(await code('greeting.say', { text: 'a', times: 0 }), 'command/bad-params');
  t.is(await code('greeting.shout', {}), 'command/unknown-command');
  t.is(await code('toString', {}), 'command/unknown-command');
  t.is(await code('greeting.say', { text: 'crash' }), 'control/internal');
  t.is(await code('log', { level: 'loud' }), 'command/bad-params');
  t.deepEqual(await client.call('greeting.say', { text: 'still here' }), { said: 'still here' });
});

test('aborting a call, or leaving, aborts the handler', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  for (const client of [await connectControl(node.dataDir), localClient(node.server.api)]) {
    const call = new AbortController();
    const waiting = client.call('greeting.wait', {}, { signal: call.signal });
    call.abort();
    await t.throwsAsync(waiting, { code: controlErrors.code('cancelled') });
    const left = client.call('greeting.wait');
    client.close();
    await t.throwsAsync(left, { code: controlErrors.code('cancelled') });
    await t.throwsAsync(client.call('status'), { code: controlErrors.code('cancelled') });
  }
});

test('events stream until unsubscribed, in both kinds of client', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const topic = defineTopic<{ n: number }>('greeting/said');
  for (const client of [await connectControl(node.dataDir), localClient(node.server.api)]) {
    const seen = Promise.withResolvers<void>();
    const events: { topic: string; event: unknown }[] = [];
    const stop = await client.subscribe('events', { topic: 'greeting/' }, (event) => {
      events.push(event);
      if (events.length === 2) seen.resolve();
    });
    node.bus.publish(defineTopic('other/thing'), {});
    node.bus.publish(topic, { n: 1 });
    node.bus.publish(topic, { n: 2 });
    await seen.promise;
    t.like(events, [{ topic: 'greeting/said', event: { n: 1 } }, { event: { n: 2 } }]);
    stop();
    await client.call('status');
    node.bus.publish(topic, { n: 3 });
    await client.call('status');
    t.is(events.length, 2);
    client.close();
  }
});

test('a client that does not read loses events, is told how many, and holds nobody up', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const slow = await rawClient(node.server.path);
  slow.send('{"jsonrpc":"2.0","id":1,"method":"events"}\n');
  t.deepEqual(await slow.next(), { jsonrpc: '2.0', id: 1, result: { subscription: 1 } });
  slow.socket.pause();
  const topic = defineTopic<{ text: string }>('greeting/said');
  const events = 4_000;
  for (let index = 0; index < events; index++) node.bus.publish(topic, { text: 'x'.repeat(1_000) });
  slow.socket.resume();
  let received = 0;
  const told = Promise.withResolvers<number>();
  void (async () => {
    for (;;) {
      const { params } = (await slow.next()) as { params: { dropped: number; event: { event: { text: string } } } };
      if (params.event.event.text === 'last') return told.resolve(params.dropped);
      received++;
    }
  })();
  while (slow.socket.bytesRead < 900_000) await once(slow.socket, 'data');
  await (await connectControl(node.dataDir)).call('status');
  node.bus.publish(topic, { text: 'last' });
  const dropped = await told.promise;
  t.true(dropped > 0);
  t.is(received + dropped, events);
  slow.socket.destroy();
});

test('lines that are no requests are answered with JSON-RPC errors and harm nobody', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const raw = await rawClient(node.server.path);
  const cases: [line: string, code: number][] = [
    ['{oops', -32700],
    ['[]', -32600],
    ['[{"jsonrpc":"2.0","id":1,"method":"status"}]', -32600],
    ['"status"', -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"status"}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"status"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"status","params":[1]}', -32600],
    ['{"jsonrpc":"2.0","method":"status"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"nothing"}', -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"greeting.say","params":{"text":3}}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"rpc.run","params":{}}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"greeting.say","params":{"text":"damn"}}', -32000],
    ['\xff\xfe\x00', -32700],
  ];
  for (const [line, code] of cases) {
    raw.send(`${line}\n`);
    const answer = (await raw.next()) as { error?: { code: number; data: { code: string } } };
    t.is(answer.error?.code, code, line);
    t.regex(answer.error?.data.code ?? '', /^\w+\/[a-z-]+$/);
  }
  raw.send('\n\r\n{"jsonrpc":"2.0","id":"x","method":"config.get","params":{"key":"node.port"}}\r\n');
  t.deepEqual(await raw.next(), { jsonrpc: '2.0', id: 'x', result: { key: 'node.port', value: 4433 } });
  raw.socket.destroy();
});

test('an oversize line ends that connection alone', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const raw = await rawClient(node.server.path);
  const other = await connectControl(node.dataDir);
  raw.send('x'.repeat(LINE_MAX_BYTES + 1));
  t.like(await raw.next(), { id: null, error: { data: { code: controlErrors.code('line-too-long') } } });
  t.like(await raw.next(), { closed: true });
  t.like(await other.call('status'), { port: 4433 });
});

test('an answer too long for a line is refused with a code, and the connection goes on', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const client = await connectControl(node.dataDir);
  const error = await t.throwsAsync(client.call('greeting.say', { text: 'ha', times: LINE_MAX_BYTES / 2 }));
  t.like(error, { code: controlErrors.code('answer-too-long') });
  t.like(await client.call('status'), { port: 4433 });
});

test('an error whose text was too long for a line was never answered', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const client = await connectControl(node.dataDir);
  const times = LINE_MAX_BYTES / 4;
  const own = await t.throwsAsync(client.call('greeting.say', { text: 'long', times }));
  t.like(own, { code: 'greeting/rude', hint: 'Say hello' });
  t.regex(own?.message ?? '', /^One does not say damn damn .* … \(\d+ more characters\)$/);
  const crash = await t.throwsAsync(client.call('greeting.say', { text: 'long crash', times }));
  t.like(crash, { code: controlErrors.code('internal') });
  t.like(await client.call('status'), { port: 4433 });
});

test('a client that asked for much and read nothing had all of it made, and filled the node’s memory', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const greedy = await rawClient(node.server.path);
  greedy.socket.pause();
  const params = { text: 'ha', times: LINE_MAX_BYTES / 4 };
  const lines = Array.from({ length: 60 }, (_, id) =>
    JSON.stringify({ jsonrpc: '2.0', id, method: 'greeting.say', params }),
  );
  greedy.send(`${lines.join('\n')}\n`);
  const client = await connectControl(node.dataDir);
  t.teardown(() => client.close());
  // Each answer takes turns of the event loop: of those that are asked for here all of the greedy one's could be made.
  for (let n = 0; n < 100; n++) await client.call('status');
  t.true(node.runs() <= 4, `${node.runs()} answers of 2 MiB were made`);
  greedy.socket.resume();
  const answered: number[] = [];
  while (answered.length < lines.length) {
    const { id } = (await greedy.next()) as { id?: number };
    if (id !== undefined) answered.push(id);
  }
  t.deepEqual(answered, [...lines.keys()]);
});

test('one client gets at most 64 calls at a time, and ids are not doubled', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const raw = await rawClient(node.server.path);
  for (let id = 0; id < 65; id++) raw.send(`{"jsonrpc":"2.0","id":${id},"method":"greeting.wait"}\n`);
  t.like(await raw.next(), { id: 64, error: { data: { code: controlErrors.code('too-many-calls') } } });
  raw.send('{"jsonrpc":"2.0","id":3,"method":"status"}\n');
  t.like(await raw.next(), { id: 3, error: { data: { code: controlErrors.code('bad-request') } } });
  raw.send('{"jsonrpc":"2.0","method":"$/cancel","params":{"id":3}}\n');
  t.like(await raw.next(), { id: 3, error: { data: { code: controlErrors.code('cancelled') } } });
  raw.socket.destroy();
});

test('the 65th client is refused with a reason', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const clients = await Promise.all(Array.from({ length: 64 }, () => connectControl(node.dataDir)));
  await Promise.all(clients.map((client) => client.call('status')));
  const late = await connectControl(node.dataDir);
  t.is((await late.closed)?.code, controlErrors.code('too-many-clients'));
  clients[0]?.close();
  await clients[0]?.closed;
  await clients[1]?.call('status');
  const next = await connectControl(node.dataDir);
  t.like(await next.call('status'), { port: 4433 });
});

test('status merges what plugins tell, shutdown is answered before the node stops', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const client = await connectControl(node.dataDir);
  t.like(await client.call('status'), { node_id: 'ab'.repeat(32), peers: 0, greetings: 7, plugins: { active: 1 } });
  t.like(await client.call('identity.show'), {
    connect: [
      `${'ab'.repeat(32)}@127.0.0.1:4433,[::1]:4433`,
      `${'ab'.repeat(32)}@127.0.0.1:4433`,
      `${'ab'.repeat(32)}@[::1]:4433`,
    ],
  });
  t.like(await client.call('shutdown'), { stopping: true });
  await new Promise(setImmediate);
  t.is(node.stops(), 1);
});

test('a stopped node tells its clients and leaves no socket', async (t) => {
  const node = await startFakeNode();
  const client = await connectControl(node.dataDir);
  const waiting = client.call('greeting.wait');
  await client.call('status');
  const failed = t.throwsAsync(waiting, { code: controlErrors.code('connection-lost') });
  await node.server.stop();
  await failed;
  t.is((await client.closed)?.code, controlErrors.code('connection-lost'));
  await t.throwsAsync(connectControl(node.dataDir), { code: controlErrors.code('not-running') });
  t.false(statSync(node.server.path, { throwIfNoEntry: false }) !== undefined);
  node.bus.close();
});

test('the socket is private, and a dead one in its place is replaced', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'control-test-'));
  writeFileSync(join(dataDir, 'control.sock'), 'left behind');
  await t.throwsAsync(connectControl(dataDir), { code: controlErrors.code('not-running') });
  const node = await startFakeNode({ dataDir });
  t.teardown(node.close);
  t.is(statSync(node.server.path).mode & 0o777, 0o600);
  t.like(await (await connectControl(dataDir)).call('status'), { port: 4433 });
});

test('a data directory whose path is too long for a socket works all the same', async (t) => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'control-test-')), 'd'.repeat(120));
  mkdirSync(dataDir);
  const node = await startFakeNode({ dataDir });
  t.like(await (await connectControl(dataDir)).call('status'), { data_dir: dataDir });
  t.true(node.server.path.length < 108);
  await node.close();
  await t.throwsAsync(connectControl(dataDir), { code: controlErrors.code('not-running') });
});

test('an open connection was cut when what limits connecting ended', async (t) => {
  const node = await startFakeNode();
  t.teardown(node.close);
  const connecting = new AbortController();
  const client = await connectControl(node.dataDir, { signal: connecting.signal });
  connecting.abort();
  t.truthy(await client.call('status'));
  client.close();
});
