import test from 'ava';
import { ask, settle, wireRig } from './rig.ts';

const echo = (body: unknown) => body;

test('the trace shows every frame once, and listeners that fail or lag are held apart', async (t) => {
  const { client, server, near, serve } = wireRig();
  serve('p', [ask, echo]);
  const lines: unknown[] = [];
  let dropped = 0;
  let go: (() => void) | undefined;
  server.dispatcher.trace.subscribe(() => {
    throw new Error('bad listener');
  });
  const stop = server.dispatcher.trace.subscribe((records) => void lines.push(...records));
  server.dispatcher.trace.subscribe(async (_, lost) => {
    dropped += lost;
    await new Promise<void>((resolve) => (go = resolve));
  });
  await client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  t.like(lines[0], {
    direction: 'out',
    code: '0xD5',
    name: 'PostFetchResponse',
    stream: 'bi',
    bytes: 12,
    outcome: 'sent',
  });
  t.like(lines[1], { direction: 'in', code: '0xD4', name: 'PostFetchRequest', stream: 'bi', bytes: 12, outcome: 'ok' });
  for (let n = 0; n < 3_000; n++) await client.dispatcher.send(near, ask, { n });
  t.is(lines.length, 6_002);
  go?.();
  await settle();
  t.true(dropped > 0);
  stop();
  await client.dispatcher.send(near, ask, { n: 1 });
  t.is(lines.length, 6_002);
  t.true(server.log.events().includes('trace-listener-failed'));
});
