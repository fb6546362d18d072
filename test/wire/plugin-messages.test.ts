import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { AnyMessage, AnyPlugin } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { createDispatcher } from '../../kernel/wire/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { answerOf, connectionPair, rawFrame, testPeer } from './pair.ts';
import { settle } from './rig.ts';

/*
 * Every message of every built-in plugin, against its golden vector in
 * test/vectors/messages/<plugin>.json: [{ message, request: { body, hex }, response?: { body, hex } }].
 * The hex is made by hand or by another tool, never by the codec it is to check.
 */

interface Golden {
  readonly body: object;
  readonly hex: string;
}
interface MessageVector {
  readonly message: string;
  readonly request: Golden;
  readonly response?: Golden;
}

const PLUGINS = join(import.meta.dirname, '../../plugins');

function vectorsOf(plugin: string): MessageVector[] {
  const file = `test/vectors/messages/${plugin}.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as MessageVector[]) : [];
}

/** Two dispatchers, one of which serves `message` with `handler`. */
function serving(message: AnyMessage, handler: (body: unknown) => unknown) {
  const clock = new VirtualClock();
  const counters = createCounters().of('wire');
  const log = recordingLog();
  const [client, server] = [
    createDispatcher({ clock, counters: createCounters().of('wire'), log }),
    createDispatcher({ clock, counters, log }),
  ];
  server.router.install('plugin', [{ message, handler }]);
  const [near, far] = connectionPair(testPeer('a'), testPeer('b'));
  client.attach(near);
  server.attach(far);
  const write = async (frame: Uint8Array) => {
    // Long enough for any budget to fill up again.
    await clock.advance(60_000);
    const stream = message.stream === 'bi' ? near.openBi() : near.openUni();
    stream.write(frame, true);
    return message.stream === 'bi' ? answerOf(stream) : settle();
  };
  return { client, near, counters, write };
}

for (const name of readdirSync(PLUGINS)) {
  const file = join(PLUGINS, name, 'plugin.js');
  if (!existsSync(file)) continue;
  const plugin = ((await import(pathToFileURL(file).href)) as { default: AnyPlugin }).default;
  const vectors = vectorsOf(plugin.name);
  const messages = Object.values<AnyMessage>(plugin.messages ?? {});

  test(`${name}: its messages are as the catalogue says`, (t) => {
    const dispatcher = createDispatcher({
      clock: new VirtualClock(),
      counters: createCounters().of('wire'),
      log: recordingLog(),
    });
    t.notThrows(() => dispatcher.router.check(name, messages));
    t.deepEqual(
      vectors.map(({ message }) => message).sort(),
      messages.map((message) => message.name).sort(),
      `each message has one vector in test/vectors/messages/${plugin.name}.json, and no other has`,
    );
  });

  for (const message of messages) {
    const vector = vectors.find((entry) => entry.message === message.name);
    if (vector === undefined) continue;
    const { request, response } = vector;
    const requestFrame = Buffer.from(request.hex, 'hex');
    const payloadOf = (body: object) =>
      JSON.stringify(message.code === undefined ? { name: message.name, body } : body);

    test(`${name}: ${message.name} matches its golden vector both ways`, async (t) => {
      const seen: unknown[] = [];
      const { client, near, write } = serving(message, (body) => {
        seen.push(body);
        return response?.body;
      });
      const answer = await write(requestFrame);
      t.deepEqual(seen, [request.body]);
      if (response !== undefined) {
        const [code, ...rest] = Buffer.from(response.hex, 'hex');
        const body = JSON.parse(Buffer.from(rest.slice(4)).toString());
        t.deepEqual(answer as object, { code, body });
      }
      const sent: Buffer[] = [];
      near.far.onStream = (stream) => {
        stream.onData = (chunk) => void sent.push(Buffer.from(chunk));
        if (stream.kind === 'bi') stream.write(Buffer.from(response?.hex ?? '', 'hex'), true);
      };
      t.deepEqual(await client.send(near, message, request.body as never), response?.body as never);
      await settle();
      t.is(Buffer.concat(sent).toString('hex'), request.hex);
    });

    test(`${name}: ${message.name} with a field of a later version is still understood`, async (t) => {
      let calls = 0;
      const { write, counters } = serving(message, () => {
        calls++;
        return response?.body;
      });
      const code = message.code ?? 0xf0;
      await write(rawFrame(code, payloadOf({ ...request.body, from_a_later_version: { any: ['thing'] } })));
      t.is(calls, 1, JSON.stringify(counters.read()));
    });

    test(`${name}: a malformed ${message.name} ends its own stream only and is counted`, async (t) => {
      let calls = 0;
      const { write, near, counters } = serving(message, () => {
        calls++;
        return response?.body;
      });
      const code = message.code ?? 0xf0;
      const bad = ['', '{', '[1]', '"x"', 'null', payloadOf({ ...request.body }).slice(0, -1)];
      if (Object.keys(request.body).length > 0) bad.push(payloadOf({}), '{"name":1}');
      for (const payload of bad) await write(rawFrame(code, payload));
      await settle();
      t.is(calls, 0);
      t.is(counters.read().malformed, bad.length);
      t.is(near.closed, undefined);
      await write(requestFrame);
      t.is(calls, 1);
    });
  }
}
